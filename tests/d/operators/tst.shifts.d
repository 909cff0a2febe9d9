/* SPDX-License-Identifier: GPL-2.0-only */
/* Shifts keep the sign of what they shift. */
#pragma D option quiet

BEGIN
{
	this->n = -16;
	this->u = 0x80000000u;
	printf("%d %d %u\n", this->n >> 2, 1 << 10, this->u >> 4);
	exit(0);
}
