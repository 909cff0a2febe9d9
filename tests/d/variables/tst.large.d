/* SPDX-License-Identifier: GPL-2.0-only */
/* Variables of more bytes than a string can have: global, thread-local and in arrays, copied as a whole. */
#pragma D option quiet

struct large {
	long first;
	char between[8000];
	int last;
} one, by[int];
self struct large mine;
int numbers[4000];
this int here[1500];

BEGIN
{
	one.first = 1;
	one.between[7999] = 'x';
	one.last = -2;
	self->mine = one;
	one.last = 0;
}

BEGIN
{
	by[7] = self->mine;
}

BEGIN
{
	printf("%d %d\n", self->mine.first, by[7].last);
	numbers[3999] = 42;
	this->here[1499] = numbers[3999] + 1;
	printf("%d %d %d\n", numbers[3999], this->here[1499], sizeof (one));
}

BEGIN
{
	printf("%c\n", by[7].between[7999]);
	exit(0);
}
