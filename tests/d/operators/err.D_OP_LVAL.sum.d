/* SPDX-License-Identifier: GPL-2.0-only */
/* A sum is no place. */

BEGIN
{
	x = 1;
	(x + 1) = 2;
	exit(0);
}
