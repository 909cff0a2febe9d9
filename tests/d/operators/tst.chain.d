/* SPDX-License-Identifier: GPL-2.0-only */
/* Assignments go from right to left. */
#pragma D option quiet

BEGIN
{
	a = b = c = 7;
	printf("%d %d %d\n", a, b, c);
	exit(0);
}
