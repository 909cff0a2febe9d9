/* SPDX-License-Identifier: GPL-2.0-only */
/* The upper bound is a constant. */

BEGIN
{
	@a = lquantize(1, 0, pid, 1);
	exit(0);
}
