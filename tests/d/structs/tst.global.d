/* SPDX-License-Identifier: GPL-2.0-only */
/* A global struct. */
#pragma D option quiet

struct point {
	int x;
	int y;
} origin;
BEGIN { origin.x = 1; origin.y = -1; }
BEGIN { printf("%d %d\n", origin.x, origin.y); exit(0); }
