/* SPDX-License-Identifier: GPL-2.0-only */
/* print() shows a translation whole; members without a conversion are 0. */
#pragma D option quiet

struct in {
	int a;
	int b;
};

struct out {
	long sum;
	int other;
};

translator struct out < struct in i > {
	sum = i.a + i.b;
};

struct in in;

BEGIN
{
	in.a = 3;
	in.b = 4;
	print(xlate <struct out> (in));
	exit(0);
}
