/* SPDX-License-Identifier: GPL-2.0-only */
/* An arrow follows a pointer. */

BEGIN
{
	this->x = 1;
	trace(this->x->y);
	exit(0);
}
