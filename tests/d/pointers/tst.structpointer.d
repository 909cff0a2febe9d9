/* SPDX-License-Identifier: GPL-2.0-only */
/* An arrow reaches a member. */
#pragma D option quiet

struct pair {
	int a;
	long b;
};
BEGIN
{
	this->p = (struct pair *)alloca(sizeof (struct pair));
	this->p->a = 5;
	this->p->b = -6;
	printf("%d %d %d\n", this->p->a, (*this->p).b, this->p->a + this->p->b);
	exit(0);
}
