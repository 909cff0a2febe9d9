/* SPDX-License-Identifier: GPL-2.0-only */
/* ftruncate() takes nothing. */

BEGIN
{
	ftruncate(0);
	exit(0);
}
