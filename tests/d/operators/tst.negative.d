/* SPDX-License-Identifier: GPL-2.0-only */
/* Division goes towards zero. */
#pragma D option quiet

BEGIN
{
	this->a = -17;
	this->b = 5;
	printf("%d %d\n", this->a / this->b, this->a % this->b);
	printf("%d %d\n", 17 / -5, 17 % -5);
	exit(0);
}
