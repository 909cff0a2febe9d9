/* SPDX-License-Identifier: GPL-2.0-only */
/* A typedef of a struct. */
#pragma D option quiet

typedef struct pair {
	int a;
	int b;
} pair_t;
this pair_t p;
BEGIN
{
	this->p.a = 4;
	this->p.b = 5;
	printf("%d %d\n", this->p.a + this->p.b, sizeof (pair_t));
	exit(0);
}
