/* SPDX-License-Identifier: GPL-2.0-only */
/* Times of the year. */
/* @options: -x quiet */
#pragma D option quiet

BEGIN
{
	printf("%Y\n", (int64_t)0);
	printf("%Y\n", (int64_t)1000000000 * 1000000000);
	exit(0);
}
