/* SPDX-License-Identifier: GPL-2.0-only */
/* An inline with arguments. */
#pragma D option quiet

inline int twice[int a] = a * 2;
inline int joined[int a, int b] = a * 10 + b;
BEGIN
{
	printf("%d %d\n", twice[21], joined[4, 2]);
	exit(0);
}
