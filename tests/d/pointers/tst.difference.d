/* SPDX-License-Identifier: GPL-2.0-only */
/* The difference of two pointers. */
#pragma D option quiet

BEGIN
{
	this->a = (int64_t *)0x1000;
	this->b = (int64_t *)0x1020;
	printf("%d %d\n", this->b - this->a, this->a - this->b);
	exit(0);
}
