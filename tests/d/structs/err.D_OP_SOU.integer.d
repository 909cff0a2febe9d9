/* SPDX-License-Identifier: GPL-2.0-only */
/* A number has no members. */

BEGIN
{
	this->x = 1;
	trace(this->x.y);
	exit(0);
}
