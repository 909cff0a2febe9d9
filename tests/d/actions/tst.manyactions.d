/* SPDX-License-Identifier: GPL-2.0-only */
/* Actions run in order. */
#pragma D option quiet

BEGIN
{
	printf("a");
	x = 1;
	printf("%d", x);
	x = 2;
	printf("%d\n", x);
	exit(0);
}
