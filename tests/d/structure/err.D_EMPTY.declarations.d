/* SPDX-License-Identifier: GPL-2.0-only */
/* Declarations alone trace nothing. */

struct point {
	int x;
	int y;
};
struct point origin;
int counted;
