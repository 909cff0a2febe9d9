/* SPDX-License-Identifier: GPL-2.0-only */
/* An if in an if. */
#pragma D option quiet

BEGIN
{
	a = 1;
	b = 0;
	if (a) {
		if (b) {
			printf("both\n");
		} else {
			printf("a only\n");
		}
	}
	exit(0);
}
