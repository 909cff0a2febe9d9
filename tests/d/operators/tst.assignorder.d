/* SPDX-License-Identifier: GPL-2.0-only */
/* What is in a place is read before the right side changes it, and where it is only then. */
#pragma D option quiet

int array[2];

BEGIN
{
	x = 4; x += x++; printf("%d ", x);
	x = 4; x -= ++x; printf("%d ", x);
	x = 4; x += x += 2; printf("%d ", x);
	this->x = 5; this->x *= this->x--; printf("%d ", this->x);
	self->x = 3; self->x <<= --self->x; printf("%d ", self->x);
	list["k"] = 4; list["k"] |= list["k"] = 8; printf("%d\n", list["k"]);
}

BEGIN
{
	at = 1;
	array[0] = 10;
	array[1] = 20;
	array[at] += at--;
	printf("%d %d\n", array[0], array[1]);
	p = (char *)alloca(2);
	*p = 7;
	*p += (*p)++;
	printf("%d\n", *p);
	exit(0);
}
