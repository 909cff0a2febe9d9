// SPDX-License-Identifier: GPL-2.0
/*
 * A hundred functions, each of which calls the next: rt_deep_00 to rt_deep_99. The one with number n is given n, and
 * returns 200 - n.
 */
#include "target.h"

static noinline u64 innermost(u64 x)
{
	barrier();
	return x;
}

/* Something to do after the call, so that it stays a call. */
#define NEST(number, next)                              \
	u64 rt_deep_##number(u64 x);                    \
	RT_TRACED u64 rt_deep_##number(u64 x)           \
	{                                               \
		u64 below = next(x + 1);                \
                                                        \
		asm volatile("" : "+r" (below));        \
		return below + 1;                       \
	}

#define NEST_TEN(tens, after)                           \
	NEST(tens##9, after)                            \
	NEST(tens##8, rt_deep_##tens##9)                \
	NEST(tens##7, rt_deep_##tens##8)                \
	NEST(tens##6, rt_deep_##tens##7)                \
	NEST(tens##5, rt_deep_##tens##6)                \
	NEST(tens##4, rt_deep_##tens##5)                \
	NEST(tens##3, rt_deep_##tens##4)                \
	NEST(tens##2, rt_deep_##tens##3)                \
	NEST(tens##1, rt_deep_##tens##2)                \
	NEST(tens##0, rt_deep_##tens##1)

NEST_TEN(9, innermost)
NEST_TEN(8, rt_deep_90)
NEST_TEN(7, rt_deep_80)
NEST_TEN(6, rt_deep_70)
NEST_TEN(5, rt_deep_60)
NEST_TEN(4, rt_deep_50)
NEST_TEN(3, rt_deep_40)
NEST_TEN(2, rt_deep_30)
NEST_TEN(1, rt_deep_20)
NEST_TEN(0, rt_deep_10)

u64 rt_run_nested(u64 count)
{
	u64 i, sum = 0;

	for (i = 0; i < count; i++)
		sum += rt_deep_00(0);
	return sum;
}
