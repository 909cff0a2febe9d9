/* SPDX-License-Identifier: GPL-2.0-only */
/* An associative array is no scalar. */

BEGIN
{
	a["x"] = 1;
	a = 2;
	exit(0);
}
