/* SPDX-License-Identifier: GPL-2.0-only */
/* print() takes a pointer. */

BEGIN
{
	this->x = 5;
	print(this->x);
	exit(0);
}
