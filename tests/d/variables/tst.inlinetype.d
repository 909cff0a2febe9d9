/* SPDX-License-Identifier: GPL-2.0-only */
/* An inline stands for its expression, with the type of that: what it is declared as only has to go with it. */
#pragma D option quiet

inline uint64_t five = 5;
inline char large = 300;
inline uint32_t minus = -1;

BEGIN
{
	printf("%d %d %d\n", sizeof (five), large, minus < 0);
	exit(0);
}
