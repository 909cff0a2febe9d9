/* SPDX-License-Identifier: GPL-2.0-only */
/* Members of associative arrays' structs. */
#pragma D option quiet

struct point {
	int x;
	int y;
};
struct point p[int];
BEGIN
{
	p[1].x = 5;
	p[1].y = 6;
	printf("%d %d %d\n", p[1].x, p[1].y, p[2].x);
	exit(0);
}
