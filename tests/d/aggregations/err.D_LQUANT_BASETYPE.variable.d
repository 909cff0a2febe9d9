/* SPDX-License-Identifier: GPL-2.0-only */
/* The lower bound is a constant. */

BEGIN
{
	@a = lquantize(1, pid, 10, 1);
	exit(0);
}
