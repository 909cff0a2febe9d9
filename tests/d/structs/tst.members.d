/* SPDX-License-Identifier: GPL-2.0-only */
/* Members of a struct. */
#pragma D option quiet

struct point {
	int x;
	int y;
};
this struct point p;
BEGIN
{
	this->p.x = 3;
	this->p.y = 4;
	printf("%d\n", this->p.x * this->p.x + this->p.y * this->p.y);
	exit(0);
}
