/* SPDX-License-Identifier: GPL-2.0-only */
/* A struct takes all members of a translation at once; those without a conversion are 0. */

#pragma D option quiet

struct in {
	int a;
	int b;
};

struct inner {
	int b;
};

struct out {
	long a;
	long other;
	char text[4];
	struct inner inner;
};

translator struct inner < struct in i > {
	b = i.b;
};

translator struct out < struct in i > {
	a = i.a;
	text = "abcdefg";
	inner = xlate <struct inner> (i);
};

translator struct in < struct in i > {
	a = i.b;
	b = i.a;
};

struct in in;
struct out out;
struct out table[int];

BEGIN
{
	in.a = 3;
	in.b = 4;
	out.other = 9;
	out = xlate <struct out> (in);
	printf("%d %d %s %d\n", out.a, out.other, stringof(out.text), out.inner.b);
	in = xlate <struct in> (in);
	table[1] = xlate <struct out> (in);
	self->out = table[1];
	printf("%d %d %d\n", in.a, in.b, self->out.inner.b);
	printf("%d\n", xlate <struct out> (in).inner.b);
	exit(0);
}
