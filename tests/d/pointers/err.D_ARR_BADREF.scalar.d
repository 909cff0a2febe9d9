/* SPDX-License-Identifier: GPL-2.0-only */
/* An array has one index. */

this int x[4];
BEGIN
{
	trace(this->x[0, 1]);
	exit(0);
}
