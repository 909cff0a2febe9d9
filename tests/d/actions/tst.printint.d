/* SPDX-License-Identifier: GPL-2.0-only */
/* print() of what a pointer points to. */
#pragma D option quiet

BEGIN
{
	this->x = (uint32_t *)alloca(4);
	*this->x = 5;
	print(this->x);
	exit(0);
}
