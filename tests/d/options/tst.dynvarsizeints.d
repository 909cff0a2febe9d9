/* SPDX-License-Identifier: GPL-2.0-only */
/* As many dynamic variables as go into dynvarsize, here three of an int. */
/* @stderr: 2 dynamic variable drops */
#pragma D option quiet
#pragma D option dynvarsize=15

BEGIN
{
	self->a = 1;
	self->b = 2;
	self->c = 3;
	self->d = 4;
	printf("%d %d %d %d\n", self->a, self->b, self->c, self->d);
	self->e = 0;
	self->b = 0;
	self->d = 5;
	self->a = 6;
	self->b = 7;
	printf("%d %d %d %d\n", self->a, self->b, self->c, self->d);
	exit(0);
}
