/* SPDX-License-Identifier: GPL-2.0-only */
/* A declared variable converts what it is given. */
#pragma D option quiet

uint8_t small;
int64_t large;
BEGIN
{
	small = 300;
	large = -1;
	printf("%d %d\n", small, large);
	exit(0);
}
