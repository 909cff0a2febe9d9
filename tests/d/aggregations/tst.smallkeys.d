/* SPDX-License-Identifier: GPL-2.0-only */
/* Structs of 1, 2, 4 or 8 bytes are numbers as keys: so they are shown, and so they are in order. */

#pragma D option quiet
#pragma D option aggsortkey

struct s {
	int x;
};

this struct s v;

BEGIN
{
	this->v.x = 256;
	@structs[this->v] = count();
	this->v.x = 1;
	@structs[this->v] = count();
	this->v.x = 2;
	@structs[this->v] = count();
	exit(0);
}
