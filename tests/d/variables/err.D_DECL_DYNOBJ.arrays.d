/* SPDX-License-Identifier: GPL-2.0-only */
/* An array has no associative arrays as elements. */
int a[3][int];

BEGIN
{
	exit(0);
}
