/* SPDX-License-Identifier: GPL-2.0-only */
/* An associative array is not traced as a whole. */

BEGIN
{
	a["x"] = 1;
	trace(a);
	exit(0);
}
