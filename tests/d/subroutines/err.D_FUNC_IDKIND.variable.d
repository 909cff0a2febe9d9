/* SPDX-License-Identifier: GPL-2.0-only */
/* A variable is no function. */

int x;
BEGIN
{
	x(1);
	exit(0);
}
