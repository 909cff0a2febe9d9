/* SPDX-License-Identifier: GPL-2.0-only */
/* print() of a struct names its members. */
#pragma D option quiet

struct point {
	int x;
	int y;
};
this struct point p;
BEGIN
{
	this->p.x = 3;
	this->p.y = -4;
	print(this->p);
	exit(0);
}
