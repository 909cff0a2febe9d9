/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys are of the types that they began with. */

BEGIN
{
	a["x"] = 1;
	a[17] = 2;
	exit(0);
}
