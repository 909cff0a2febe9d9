/* SPDX-License-Identifier: GPL-2.0-only */
/* An assignment has the value that was stored. */
#pragma D option quiet

uint8_t small;
BEGIN
{
	x = small = 257;
	printf("%d %d\n", small, x);
	exit(0);
}
