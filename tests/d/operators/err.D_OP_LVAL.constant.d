/* SPDX-License-Identifier: GPL-2.0-only */
/* A constant is no place. */

BEGIN
{
	1 = 2;
	exit(0);
}
