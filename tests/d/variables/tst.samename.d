/* SPDX-License-Identifier: GPL-2.0-only */
/* Global, thread-local and clause-local variables of one name differ. */
#pragma D option quiet

BEGIN
{
	x = 1;
	self->x = 2;
	this->x = 3;
	printf("%d %d %d\n", x, self->x, this->x);
	exit(0);
}
