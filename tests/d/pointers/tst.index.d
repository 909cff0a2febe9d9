/* SPDX-License-Identifier: GPL-2.0-only */
/* a[i] is *(a + i). */
#pragma D option quiet

BEGIN
{
	this->p = (short *)alloca(8);
	this->p[0] = 10;
	this->p[1] = -20;
	this->p[2] = 30;
	this->i = 1;
	printf("%d %d %d\n", this->p[this->i], *(this->p + this->i + 1), *this->p);
	exit(0);
}
