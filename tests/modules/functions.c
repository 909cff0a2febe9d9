// SPDX-License-Identifier: GPL-2.0
/*
 * The traced functions that only compute. Their values are known to the tests
 * (tests/guest/src/target.rs has the same formulas).
 */
#include <linux/bits.h>

#include "target.h"

/* Six arguments, a value that depends on the place of each. */
RT_TRACED u64 rt_plain(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	return a + 2 * b + 3 * c + 5 * d + 7 * e + 11 * f;
}

/* More arguments than registers: the last two travel on the stack. */
RT_TRACED u64 rt_wide(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f, u64 g, u64 h)
{
	return a + 2 * b + 3 * c + 5 * d + 7 * e + 11 * f + 13 * g + 17 * h;
}

/* Calls itself `depth` times; returns the sum of 1 to depth. */
RT_TRACED u64 rt_recurse(u64 depth)
{
	u64 below = 0;

	if (depth)
		below = rt_recurse(depth - 1);
	/* Something to do after the call, so that it stays a call. */
	asm volatile("" : "+r" (below));
	return below + depth;
}

/* Ends in a jump to rt_tail_inner, which returns in its place. */
RT_TRACED u64 rt_tail_outer(u64 x)
{
	return rt_tail_inner(x + 1);
}

/* Where rt_tail_outer ends. */
RT_TRACED u64 rt_tail_inner(u64 x)
{
	return 3 * x;
}

/* Fails as kernel functions do. */
RT_TRACED int rt_errno(int error)
{
	return -error;
}

/* Returns all 64 bits as they came. */
RT_TRACED u64 rt_value(u64 value)
{
	return value;
}

/* Returns nothing. */
RT_TRACED void rt_void(u64 x)
{
	asm volatile("" : : "r" (x));
}

/* One function with two names. */
RT_TRACED u64 rt_named(u64 x)
{
	return x + 5;
}
u64 rt_other_name(u64 x) __attribute__((__alias__("rt_named")));

/* The arguments of call number i reach every bit of every register. */
u64 rt_plain_nth(u64 i)
{
	return rt_plain(i, ~i, i << 32, i * 0x9e3779b97f4a7c15ULL, -i, i | BIT_ULL(63));
}
