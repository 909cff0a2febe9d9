/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions take no associative arrays. */

int f(int a[int]);
BEGIN
{
	exit(0);
}
