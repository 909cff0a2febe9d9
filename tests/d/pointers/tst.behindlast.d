/* SPDX-License-Identifier: GPL-2.0-only */
/* The place behind an array's last element may be named. */
#pragma D option quiet

int a[5];
struct { char c; int i; } s[3];
int *p;

BEGIN
{
	p = &a[5];
	first = &s[0];
	behind = &s[3];
	a[4] = 7;
	printf("%d %d %d\n", p - &a[0], (int)behind - (int)first, *(p - 1));
	exit(0);
}
