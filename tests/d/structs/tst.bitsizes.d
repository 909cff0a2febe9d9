/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bit-field takes the bytes of the smallest number that holds it, and a record with nothing but
 * bit-fields ends where the last one does.
 */
#pragma D option quiet

struct one {
	unsigned long only:1;
};
struct mixed {
	int wide:17;
	int narrow:7;
	int middle:9;
};
struct wide {
	unsigned long first:33;
	unsigned int second:31;
	unsigned char third:1;
};
struct behind {
	char before;
	int after:2;
	short last;
};
union either {
	int narrow:7;
	int wide:9;
};

this struct mixed m;
this struct wide w;
this struct behind b;
this union either e;

BEGIN
{
	printf("%d %d %d %d %d\n", sizeof (struct one), sizeof (struct mixed),
	    sizeof (struct wide), sizeof (struct behind), sizeof (union either));

	this->m.wide = -65536;
	this->m.narrow = 63;
	this->m.middle = -256;
	printf("%d %d %d\n", this->m.wide, this->m.narrow, this->m.middle);
	this->m.narrow++;
	printf("%d %d %d\n", this->m.wide, this->m.narrow, this->m.middle);

	this->w.first = 1 << 32;
	this->w.second = -1;
	this->w.third = 3;
	printf("%x %x %x\n", this->w.first, this->w.second, this->w.third);

	this->b.before = 1;
	this->b.after = 1;
	this->b.last = 4660;
	printf("%d %d %d\n", this->b.before, this->b.after, this->b.last);

	this->e.wide = 127;
	printf("%d %d\n", this->e.narrow, this->e.wide);
	exit(0);
}
