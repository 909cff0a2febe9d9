/* SPDX-License-Identifier: GPL-2.0-only */
/* trunc() takes a number of entries. */

BEGIN
{
	@a[1] = count();
	trunc(@a, "one");
	exit(0);
}
