/* SPDX-License-Identifier: GPL-2.0-only */
/* Variables begin with 0, strings empty. */
#pragma D option quiet

int g;
string s;
self int t;
this int l;
BEGIN
{
	printf("%d '%s' %d\n", g, s, self->t);
	exit(0);
}
