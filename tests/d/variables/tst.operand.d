/* SPDX-License-Identifier: GPL-2.0-only */
/* Before its first assignment a variable of self or this, or an element, is the operand of an
   operator as an int64_t that is 0. */
#pragma D option quiet

BEGIN
/!self->done/
{
	printf("%d %d %d\n", -this->none, ~a["x"], sizeof (self->other));
}

BEGIN
{
	self->done = 1;
	a["x"] = 8;
	printf("%d %d\n", self->done, a["x"]);
	exit(0);
}
