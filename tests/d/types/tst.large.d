/* SPDX-License-Identifier: GPL-2.0-only */
/* A constant that does not fit an int is longer. */
#pragma D option quiet

BEGIN
{
	printf("%d %d\n", sizeof (2147483647), sizeof (4294967296));
	printf("%d %u\n", 4294967296, 18446744073709551615u);
	exit(0);
}
