/* SPDX-License-Identifier: GPL-2.0-only */
/* A clause-local array. */
#pragma D option quiet

this int a[3];
BEGIN
{
	this->a[0] = 10;
	this->a[1] = 20;
	this->a[2] = this->a[0] + this->a[1];
	printf("%d\n", this->a[2]);
	exit(0);
}
