/* SPDX-License-Identifier: GPL-2.0-only */
/* Arithmetic. */
#pragma D option quiet

BEGIN
{
	this->a = 17;
	this->b = 5;
	printf("%d %d %d %d %d\n", this->a + this->b, this->a - this->b, this->a * this->b,
	    this->a / this->b, this->a % this->b);
	exit(0);
}
