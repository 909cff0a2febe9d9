/* SPDX-License-Identifier: GPL-2.0-only */
/* A clause commits and discards as many speculations as it likes, in its order. */
#pragma D option quiet
#pragma D option nspec=4

BEGIN
{
	a = speculation();
	b = speculation();
	c = speculation();
	d = speculation();
}
BEGIN { speculate(a); printf("a %d\n", a); }
BEGIN { speculate(b); printf("b %d\n", b); }
BEGIN { speculate(c); printf("c %d\n", c); }
BEGIN { speculate(d); printf("d %d\n", d); }
BEGIN
{
	commit(d);
	discard(c);
	commit(b);
	commit(a);
}
BEGIN
{
	exit(0);
}
