/* SPDX-License-Identifier: GPL-2.0-only */
/* There is one level at least. */

BEGIN
{
	@a = lquantize(1, 0, 10, 11);
	exit(0);
}
