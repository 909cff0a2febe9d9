/* SPDX-License-Identifier: GPL-2.0-only */
/* A program that has such a name for something of its own. */
#pragma D option quiet

int chip;

BEGIN
{
	chip = 7;
	printf("%d\n", chip);
	exit(0);
}
