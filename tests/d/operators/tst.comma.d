/* SPDX-License-Identifier: GPL-2.0-only */
/* The comma operator. */
#pragma D option quiet

BEGIN
{
	x = (1, 2, 3);
	y = (z = 5, z + 1);
	printf("%d %d\n", x, y);
	exit(0);
}
