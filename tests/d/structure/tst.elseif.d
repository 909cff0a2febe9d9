/* SPDX-License-Identifier: GPL-2.0-only */
/* A chain of if and else. */
#pragma D option quiet

BEGIN { x = 0; }
tick-1ms /x < 4/
{
	if (x == 0) {
		printf("zero\n");
	} else if (x == 1) {
		printf("one\n");
	} else if (x == 2) {
		printf("two\n");
	} else {
		printf("more\n");
		exit(0);
	}
	x++;
}
