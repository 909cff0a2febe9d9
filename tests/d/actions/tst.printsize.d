/* SPDX-License-Identifier: GPL-2.0-only */
/* How many bytes of a value print() shows can be set, in steps of 8, while it is traced, too. */
#pragma D option quiet
#pragma D option printsize=4

struct point {
	int x;
	int y;
	int z;
};
this struct point p;
BEGIN
{
	this->p.x = 3;
	this->p.y = -4;
	this->p.z = 7;
	print(this->p);
	setopt("printsize", "1k");
	print(this->p);
	exit(0);
}
