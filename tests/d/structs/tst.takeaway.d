/* SPDX-License-Identifier: GPL-2.0-only */
/* 0 takes structs of threads and of associative arrays away. */
#pragma D option quiet

struct point {
	int x;
	int y;
};
struct point points[int];
self struct point p;
BEGIN
{
	this->p = (struct point *)alloca(sizeof (struct point));
	this->p->x = 3;
	this->p->y = 4;
	points[1] = *this->p;
	points[2] = *this->p;
	self->p = *this->p;
	points[1] = 0;
	self->p = 0;
}
BEGIN
{
	printf("%d %d %d\n", points[1].x, points[2].y, self->p.x);
	exit(0);
}
