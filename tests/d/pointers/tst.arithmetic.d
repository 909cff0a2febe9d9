/* SPDX-License-Identifier: GPL-2.0-only */
/* Pointers count in what they point to. */
#pragma D option quiet

BEGIN
{
	this->p = (int *)0x1000;
	printf("%x %x %x\n", (uint64_t)(this->p + 1), (uint64_t)(this->p - 1),
	    (uint64_t)((char *)this->p + 1));
	exit(0);
}
