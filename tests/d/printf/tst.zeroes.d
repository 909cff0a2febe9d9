/* SPDX-License-Identifier: GPL-2.0-only */
/* Zeroes fill numbers only. */
#pragma D option quiet

BEGIN
{
	printf("[%08x] [%08d] [%08d]\n", 0xbeef, 123, -123);
	exit(0);
}
