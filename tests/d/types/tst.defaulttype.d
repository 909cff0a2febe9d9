/* SPDX-License-Identifier: GPL-2.0-only */
/* A variable takes the type of its first value. */
#pragma D option quiet

BEGIN
{
	a = 1;
	b = 1ll;
	c = (char)1;
	d = "text";
	printf("%d %d %d %d\n", sizeof (a), sizeof (b), sizeof (c), sizeof (d));
	exit(0);
}
