/* SPDX-License-Identifier: GPL-2.0-only */
/* trace() of a string or a struct shows text if it reads as text, and else its memory. */
#pragma D option quiet
#pragma D option strsize=8

struct pair { char a; char b; };
struct pair p;

BEGIN
{
	trace("a\001b");
	p.a = 'x';
	trace(p);
	printf("|\n");
	p.b = '\003';
	trace(p);
	exit(0);
}
