/* SPDX-License-Identifier: GPL-2.0-only */
/* A distribution by powers, each in steps. */
#pragma D option quiet

BEGIN
{
	@ = llquantize(0, 10, 0, 2, 10);
	@ = llquantize(5, 10, 0, 2, 10);
	@ = llquantize(12, 10, 0, 2, 10);
	@ = llquantize(125, 10, 0, 2, 10);
	@ = llquantize(5000, 10, 0, 2, 10);
	exit(0);
}
