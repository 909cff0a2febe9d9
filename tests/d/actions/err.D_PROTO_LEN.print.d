/* SPDX-License-Identifier: GPL-2.0-only */
/* print() takes one pointer. */

BEGIN
{
	this->p = alloca(8);
	print(this->p, 8);
	exit(0);
}
