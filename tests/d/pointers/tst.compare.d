/* SPDX-License-Identifier: GPL-2.0-only */
/* Pointers are compared. */
#pragma D option quiet

BEGIN
{
	this->a = (int *)0x1000;
	printf("%d%d%d%d\n", this->a == 0, this->a != NULL, this->a < this->a + 1,
	    this->a == (int *)0x1000);
	exit(0);
}
