/* SPDX-License-Identifier: GPL-2.0-only */
/* Pointers are incremented. */
#pragma D option quiet

BEGIN
{
	this->p = (int *)0x1000;
	this->p++;
	printf("%x\n", (uint64_t)this->p);
	this->p += 3;
	printf("%x\n", (uint64_t)this->p);
	this->p--;
	printf("%x\n", (uint64_t)this->p);
	exit(0);
}
