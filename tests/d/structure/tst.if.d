/* SPDX-License-Identifier: GPL-2.0-only */
/* if and else. */
#pragma D option quiet

BEGIN
{
	x = 5;
	if (x > 3) {
		printf("more\n");
	} else {
		printf("less\n");
	}
	if (x > 7)
		printf("much more\n");
	else
		printf("not much more\n");
	exit(0);
}
