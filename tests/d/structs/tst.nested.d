/* SPDX-License-Identifier: GPL-2.0-only */
/* Structs in structs. */
#pragma D option quiet

struct inner {
	char c;
	int n;
};
struct outer {
	int a;
	struct inner in;
};
this struct outer o;
BEGIN
{
	this->o.in.n = 12;
	this->o.in.c = 'q';
	this->o.a = 1;
	printf("%d %c %d %d\n", this->o.in.n, this->o.in.c, this->o.a, sizeof (struct outer));
	exit(0);
}
