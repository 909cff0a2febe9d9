/* SPDX-License-Identifier: GPL-2.0-only */
/* The step fits 16 bits. */

BEGIN
{
	@a = lquantize(1, 0, 1000000, 65536);
	exit(0);
}
