/* SPDX-License-Identifier: GPL-2.0-only */
/* An index beyond an array, known only when it runs, is a fault. */
#pragma D option quiet

int a[5];
BEGIN
{
	i = 8;
	a[i] = 1;
	printf("%d\n", a[i]);
	exit(1);
}
ERROR
{
	printf("caught\n");
	exit(0);
}
