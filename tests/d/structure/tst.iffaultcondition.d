/* SPDX-License-Identifier: GPL-2.0-only */
/* So does one of a condition. */
/* @stderr: in action #1 at */
#pragma D option quiet

int zero;

BEGIN
{
	printf("before\n");
	if (1 / zero) {
		printf("yes\n");
	} else {
		printf("no\n");
	}
	exit(1);
}

BEGIN
{
	exit(0);
}
