/* SPDX-License-Identifier: GPL-2.0-only */
/* What a program declares holds for all of its clauses, those before it as well. */

#pragma D option quiet

BEGIN
{
	x = 300;
	printf("%d %d %d %d\n", x, y, N, twice[4]);
	self->q = 300;
	this->r = 300;
	table["a"] = 300;
	printf("%d %d %d\n", self->q, this->r, table["a"]);
	exit(0);
}

char x;
int y;
inline int N = 5;
inline int twice[int n] = 2 * n;
self char q;
this char r;
char table[string];
