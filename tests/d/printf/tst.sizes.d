/* SPDX-License-Identifier: GPL-2.0-only */
/* Sizes need not be told; if they are, they are the arguments'. */
#pragma D option quiet

BEGIN
{
	printf("%d %ld %lld %hd\n", 1, (long)2, 3ll, (short)4);
	printf("%d %lu\n", (int64_t)-1, (uint64_t)-1);
	exit(0);
}
