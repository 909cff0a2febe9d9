/* SPDX-License-Identifier: GPL-2.0-only */
/* count() takes nothing. */

BEGIN
{
	@a = count(1);
	exit(0);
}
