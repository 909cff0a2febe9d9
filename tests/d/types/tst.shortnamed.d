/* SPDX-License-Identifier: GPL-2.0-only */
/* As with dtrace `short` goes unnoticed in front of a type that has a name. */

#pragma D option quiet

typedef int length;
short length x;
BEGIN
{
	x = 70000;
	printf("%d %d\n", x, sizeof (x));
	exit(0);
}
