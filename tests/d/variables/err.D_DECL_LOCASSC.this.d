/* SPDX-License-Identifier: GPL-2.0-only */
/* Clause-local variables are no associative arrays. */

this int a[int];
BEGIN
{
	exit(0);
}
