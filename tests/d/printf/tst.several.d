/* SPDX-License-Identifier: GPL-2.0-only */
/* Many arguments. */
#pragma D option quiet

BEGIN
{
	printf("%d %s %c %x %d %s %d %d %d\n", 1, "two", '3', 4, 5, "six", 7, 8, 9);
	exit(0);
}
