/* SPDX-License-Identifier: GPL-2.0-only */
/* Only aggregating functions are assigned. */

BEGIN
{
	@a = 1;
	exit(0);
}
