/* SPDX-License-Identifier: GPL-2.0-only */
/* Parentheses change nothing. */

#pragma D option quiet

BEGIN
{
	(self)->x = 3;
	(this)->y = 4;
	printf("%d %d\n", self->x, this->y);
	exit(0);
}
