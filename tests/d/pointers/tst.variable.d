/* SPDX-License-Identifier: GPL-2.0-only */
/* A pointer into a global variable leads to the variable itself: as long as the program runs, to be read and written. */
#pragma D option quiet

struct pair {
	char name[6];
	short number;
	int value;
};
int a[5];
short s[4];
char text[12];
struct pair one, two, pairs[3];
int *p, *q, *kept;
struct pair *pp;

BEGIN
{
	p = &a[0];
	q = &a[2];
	printf("%d %d %d\n", q - p, p - q, (int)(q - p));
	printf("%d %d\n", (int)((uintptr_t)&s[3] - (uintptr_t)&s[0]), (int)((uintptr_t)&pairs[2] - (uintptr_t)&pairs[0]));
	printf("%d %d %d\n", a == a, p == a, one == two);
	a[0] = 1;
	printf("%d", *p);
	*p = 2;
	printf(" %d", a[0]);
	q[1] = 30;
	*(&a[4]) = 40;
	p[2]++;
	*q += 5;
	printf(" %d %d %d\n", a[2], a[3], a[4]);
	kept = &a[3];
}

BEGIN
{
	s[0] = -1;
	s[1] = 2;
	s[3] = 4;
	text[0] = 'o';
	text[1] = 'k';
	text[2] = '!';
	printf("%d %d %d %d %s", s[0], s[1], s[2], s[3], stringof(text));
	((char *)text)[2] = '?';
	printf(" %s %d\n", stringof(text + 1), strlen((string)text));
}

BEGIN
{
	pp = &pairs[1];
	pp->number = 7;
	pp->value = 8;
	pp->name[0] = 'n';
	one = pairs[1];
	two = *pp;
	pp->number++;
	pairs[2] = one;
	printf("%d %d %s %d %d %d %d\n", one.number, two.value, stringof(two.name), pairs[1].number, pairs[2].number,
	    pairs[0].number, pp->number);
	one = one;
	printf("%d\n", one.number);
}

END
/ *kept == 30 && pp->number == 8/
{
	*kept = 31;
	printf("%d\n", a[3]);
}

BEGIN
{
	exit(0);
}
