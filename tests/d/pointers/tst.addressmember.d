/* SPDX-License-Identifier: GPL-2.0-only */
/* The address of a member. */
#pragma D option quiet

struct pair {
	int a;
	long b;
};
BEGIN
{
	this->p = (struct pair *)alloca(sizeof (struct pair));
	this->p->b = 77;
	this->q = &this->p->b;
	printf("%d %d\n", *this->q, (uint64_t)this->q - (uint64_t)this->p);
	exit(0);
}
