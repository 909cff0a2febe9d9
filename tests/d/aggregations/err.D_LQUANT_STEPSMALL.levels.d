/* SPDX-License-Identifier: GPL-2.0-only */
/* There are too many levels. */

BEGIN
{
	@a = lquantize(1, 0, 1000000, 1);
	exit(0);
}
