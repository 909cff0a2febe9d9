/* SPDX-License-Identifier: GPL-2.0-only */
/* Comparisons are 0 or 1. */
#pragma D option quiet

BEGIN
{
	this->a = 3;
	printf("%d%d%d%d%d%d\n", this->a < 3, this->a <= 3, this->a > 3, this->a >= 3,
	    this->a == 3, this->a != 3);
	exit(0);
}
