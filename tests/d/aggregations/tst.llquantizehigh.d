/* SPDX-License-Identifier: GPL-2.0-only */
/* The highest magnitude of 10 that there is. */
#pragma D option quiet

BEGIN
{
	@a = llquantize(3000000000000000000, 10, 17, 17, 10);
	@a = llquantize(200000000000000000, 10, 17, 17, 10);
	exit(0);
}
