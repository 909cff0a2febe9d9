/* SPDX-License-Identifier: GPL-2.0-only */
/* A clause may record hundreds of values. */
#pragma D option quiet

BEGIN
{
	x = 0;
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	printf("%d %d %d %d %d %d %d %d\n", x++, x++, x++, x++, x++, x++, x++, x++);
	exit(0);
}
