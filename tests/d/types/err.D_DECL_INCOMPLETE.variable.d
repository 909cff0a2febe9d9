/* SPDX-License-Identifier: GPL-2.0-only */
/* A variable's struct is defined before. */

struct unknown_to_all x;
BEGIN
{
	exit(0);
}
