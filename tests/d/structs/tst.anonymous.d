/* SPDX-License-Identifier: GPL-2.0-only */
/* Members of an anonymous struct belong to the outer one. */
#pragma D option quiet

struct outer {
	int a;
	struct {
		int b;
		int c;
	};
};
this struct outer o;
BEGIN
{
	this->o.b = 2;
	this->o.c = 3;
	printf("%d %d %d\n", this->o.b, this->o.c, offsetof(struct outer, c));
	exit(0);
}
