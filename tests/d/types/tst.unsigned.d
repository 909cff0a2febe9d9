/* SPDX-License-Identifier: GPL-2.0-only */
/* Unsigned wins in a mixed comparison. */
#pragma D option quiet

BEGIN
{
	printf("%d\n", -1 < 1u);
	printf("%d\n", -1 < 1);
	printf("%d\n", (int64_t)-1 < (uint64_t)1);
	printf("%d\n", (long)-1 < 1u);
	exit(0);
}
