/* SPDX-License-Identifier: GPL-2.0-only */
/* A member is the translator's expression, of pointers, structs and numbers. */

#pragma D option quiet

struct point {
	int x;
	int y;
	char name[8];
};

struct shown {
	long sum;
	short y;
	char name[8];
	int none;
};

union bits {
	int all;
	char low;
};

translator struct shown < struct point *p > {
	sum = p->x + p->y;
	y = p->y;
	name = p->name;
};

translator struct shown < struct point p > {
	sum = p.x - p.y;
	y = p.y;
};

translator union bits < int number > {
	all = number << 1;
	low = number;
	low = 0;
};

struct point here;
struct point *there;

inline struct shown *again[struct point *q] = xlate <struct shown *> (q);
inline struct shown once = xlate <struct shown> (here);

BEGIN
{
	here.x = 7;
	here.y = 70000;
	there = (struct point *)alloca(sizeof (struct point));
	there->x = 1;
	there->y = 2;
	printf("%d %d\n", xlate <struct shown> (here).sum, xlate <struct shown> (here).y);
	printf("%d %d\n", xlate <struct shown *> (there)->sum, (*xlate <struct shown *> (there)).y);
	printf("%d %d\n", again[there]->sum, once.sum);
	printf("[%s]\n", stringof(xlate <struct shown> (there).name));
	printf("%d %d\n", xlate <union bits> (300).all, xlate <union bits> (300).low);
	exit(0);
}
