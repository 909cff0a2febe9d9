/* SPDX-License-Identifier: GPL-2.0-only */
/* Behind an exit() nothing runs but the statements up to the next if, or to the end of its arm. */
#pragma D option quiet

BEGIN
{
	x = 1;
	if (x) {
		printf("in\n");
		if (!x) {
			exit(1);
		} else {
			exit(0);
			printf("beside\n");
		}
		printf("behind\n");
		exit(2);
	}
	printf("last\n");
	exit(3);
}

BEGIN
{
	exit(4);
}
