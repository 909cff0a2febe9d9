/* SPDX-License-Identifier: GPL-2.0-only */
/* Floating-point numbers, of which there are zeroes and what memory holds. */
#pragma D option quiet

float f;
double d;
long double l;
BEGIN
{
	printf("%e %E %f %g %G\n", f, f, f, f, f);
	printf("%e %E %f %g %G\n", d, d, d, d, d);
	printf("%e %g\n", l, l);
}
BEGIN
{
	this->bits = (uint32_t *)alloca(4);
	*this->bits = 0x40490fdb;
	this->more = (uint64_t *)alloca(16);
	this->more[0] = 0xc008000000000000;
	printf("%f %.2f", *(float *)this->bits, *(float *)this->bits);
	printf(" %8.1f|%e", *(double *)this->more, *(double *)this->more);
	this->more[0] = 0xc000000000000000;
	this->more[1] = 0x4000;
	printf(" %g\n", *(long double *)this->more);
	exit(0);
}
