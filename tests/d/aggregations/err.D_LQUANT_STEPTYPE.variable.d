/* SPDX-License-Identifier: GPL-2.0-only */
/* The step is a constant. */

BEGIN
{
	@a = lquantize(1, 0, 10, pid);
	exit(0);
}
