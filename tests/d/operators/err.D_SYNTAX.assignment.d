/* SPDX-License-Identifier: GPL-2.0-only */
/* An assignment has a value. */

BEGIN
{
	x = ;
	exit(0);
}
