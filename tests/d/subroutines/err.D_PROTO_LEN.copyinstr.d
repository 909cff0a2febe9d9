/* SPDX-License-Identifier: GPL-2.0-only */
/* copyinstr() takes no more than a size. */

BEGIN
{
	trace(copyinstr(1, 2, 3));
	exit(0);
}
