/* SPDX-License-Identifier: GPL-2.0-only */
/* Shifts by more bits than there are, or by fewer than none, go by the lowest 6 bits. */
#pragma D option quiet

BEGIN
{
	this->n = 0xffff;
	this->by = -6;
	this->far = 100;
	printf("%x %x\n", this->n << this->by, this->n << this->far);
	exit(0);
}
