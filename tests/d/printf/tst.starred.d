/* SPDX-License-Identifier: GPL-2.0-only */
/* A width from an argument is that, whatever else is said of it; and a 0 behind ? fills up. */

#pragma D option quiet

BEGIN
{
	printf("[%*5d] [%*0d] [%*05d] [%.*3d]\n", 8, 1, 4, 2, 6, 3, 2, 4);
	printf("[%?0x] [%*?x]\n", 5, 4, 6);
	exit(0);
}
