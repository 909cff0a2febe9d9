/* SPDX-License-Identifier: GPL-2.0-only */
/* What is shifted out of an int and back again is still there. */
#pragma D option quiet

int i;

BEGIN
{
	i = 0xffff;
	printf("%d %d\n", i << 20 >> 20, (i << 40) >> 40);
	printf("%d\n", (i << 16) >> 8);
	exit(0);
}
