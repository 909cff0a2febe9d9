/* SPDX-License-Identifier: GPL-2.0-only */
/* A number is no string. */

int x;
BEGIN
{
	x = "text";
	exit(0);
}
