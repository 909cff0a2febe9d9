/* SPDX-License-Identifier: GPL-2.0-only */
/* A constant is no place. */

BEGIN
{
	5++;
	exit(0);
}
