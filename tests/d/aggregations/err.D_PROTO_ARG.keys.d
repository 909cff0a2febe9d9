/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys are of the types that they began with. */

BEGIN
{
	@a[1] = count();
	@a["one"] = count();
	exit(0);
}
