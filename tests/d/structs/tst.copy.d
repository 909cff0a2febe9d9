/* SPDX-License-Identifier: GPL-2.0-only */
/* Structs are assigned as a whole. */
#pragma D option quiet

struct point {
	int x;
	int y;
};
this struct point p;
this struct point q;
BEGIN
{
	this->p.x = 8;
	this->p.y = 9;
	this->q = this->p;
	this->p.x = 0;
	printf("%d %d\n", this->q.x, this->q.y);
	exit(0);
}
