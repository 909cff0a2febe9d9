/* SPDX-License-Identifier: GPL-2.0-only */
/* Between a base and a limit that are the same is no level. */

BEGIN
{
	@a = lquantize(1, 10, 10, 1);
	exit(0);
}
