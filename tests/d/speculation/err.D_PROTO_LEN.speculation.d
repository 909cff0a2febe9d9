/* SPDX-License-Identifier: GPL-2.0-only */
/* speculation() takes nothing. */

BEGIN
{
	x = speculation(1);
	exit(0);
}
