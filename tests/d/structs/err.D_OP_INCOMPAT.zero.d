/* SPDX-License-Identifier: GPL-2.0-only */
/* A global struct is there always: 0 does not take it away. */

struct point {
	int x;
	int y;
} p;
BEGIN
{
	p = 0;
	exit(0);
}
