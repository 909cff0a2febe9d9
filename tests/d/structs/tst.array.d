/* SPDX-License-Identifier: GPL-2.0-only */
/* An array of structs. */
#pragma D option quiet

struct point {
	int x;
	int y;
};
this struct point p[3];
BEGIN
{
	this->p[1].x = 11;
	this->p[2].y = 22;
	this->i = 2;
	printf("%d %d %d\n", this->p[1].x, this->p[this->i].y, sizeof (this->p));
	exit(0);
}
