/* SPDX-License-Identifier: GPL-2.0-only */
/* Both sides of ^^ are evaluated. */
#pragma D option quiet

BEGIN
{
	x = 0;
	y = 0;
	z = (x++ || 1) ^^ (y++ || 1);
	printf("%d %d %d\n", x, y, z);
	exit(0);
}
