/* SPDX-License-Identifier: GPL-2.0-only */
/* An associative array has the keys that it began with. */

BEGIN
{
	a[1, "x"] = 1;
	a[1] = 2;
	exit(0);
}
