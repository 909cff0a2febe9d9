/* SPDX-License-Identifier: GPL-2.0-only */
/* Precedence is that of C. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d\n", 2 + 3 * 4, (2 + 3) * 4, 20 - 4 - 3);
	printf("%d %d\n", 1 << 2 + 1, 7 & 3 == 3);
	printf("%d %d\n", 1 | 2 ^ 3 & 1, !0 + 1);
	printf("%d\n", -2 * -3);
	exit(0);
}
