/* SPDX-License-Identifier: GPL-2.0-only */
/* A pointer to a pointer. */
#pragma D option quiet

BEGIN
{
	this->p = (int *)alloca(4);
	*this->p = 9;
	this->q = (int **)alloca(8);
	*this->q = this->p;
	printf("%d\n", **this->q);
	exit(0);
}
