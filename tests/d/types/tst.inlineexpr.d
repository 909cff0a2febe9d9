/* SPDX-License-Identifier: GPL-2.0-only */
/* An inline may name variables. */
#pragma D option quiet

int x;
inline int doubled = x * 2;
BEGIN
{
	x = 21;
	printf("%d\n", doubled);
	exit(0);
}
