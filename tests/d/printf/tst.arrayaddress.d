/* SPDX-License-Identifier: GPL-2.0-only */
/* An array as an address is where it is. */
#pragma D option quiet

int a[5];
int *p;
this char c[8];

BEGIN
{
	p = &a[0];
	this->c[0] = 'c';
	printf("%p", a);
	printf(" %p %p\n", p, this->c);
	exit(0);
}
