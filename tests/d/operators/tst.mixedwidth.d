/* SPDX-License-Identifier: GPL-2.0-only */
/* The wider operand decides. */
#pragma D option quiet

BEGIN
{
	this->a = (int64_t)1 << 40;
	this->b = 1;
	printf("%d\n", this->a + this->b);
	exit(0);
}
