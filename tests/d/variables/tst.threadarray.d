/* SPDX-License-Identifier: GPL-2.0-only */
/* Thread-local associative arrays. */
#pragma D option quiet

self int a[int];
BEGIN
{
	self->a[1] = 5;
	self->b["x", 2] = "text";
	printf("%d %d %s\n", self->a[1], self->a[2], self->b["x", 2]);
	exit(0);
}
