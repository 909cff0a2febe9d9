/* SPDX-License-Identifier: GPL-2.0-only */
/* A thread-local struct. */
#pragma D option quiet

struct point {
	int x;
	int y;
};
self struct point p;
BEGIN { self->p.x = 1; self->p.y = 2; }
BEGIN { printf("%d %d\n", self->p.x, self->p.y); exit(0); }
