/* SPDX-License-Identifier: GPL-2.0-only */
/* An index beyond the array. */

this int a[4];
BEGIN
{
	this->a[5] = 1;
	exit(0);
}
