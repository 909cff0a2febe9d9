/* SPDX-License-Identifier: GPL-2.0-only */
/* What need not be evaluated is not. */
#pragma D option quiet

BEGIN
{
	x = 0;
	y = 0;
	z = 0 && x++;
	z = 1 || y++;
	printf("%d %d\n", x, y);
	exit(0);
}
