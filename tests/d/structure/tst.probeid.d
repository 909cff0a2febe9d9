/* SPDX-License-Identifier: GPL-2.0-only */
/* A probe by its number. */
/* @needs: guest */
#pragma D option quiet

1
{
	printf("one\n");
	exit(0);
}
