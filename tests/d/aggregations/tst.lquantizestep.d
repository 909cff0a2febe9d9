/* SPDX-License-Identifier: GPL-2.0-only */
/* Without a step it is 1. */
#pragma D option quiet

BEGIN
{
	@ = lquantize(1, 0, 3);
	@ = lquantize(2, 0, 3);
	@ = lquantize(2, 0, 3);
	exit(0);
}
