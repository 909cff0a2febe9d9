#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which programs sleep longest at a time?
 *
 *     sleepers.d                    until Ctrl-C
 *
 * Prints for each program the longest sleep, how long it slept in all, both in milliseconds, and how often.
 * @options: -c 'sleep 0.1'
 */

#pragma D option quiet

fbt::schedule:return
/pid != 0/
{
	@longest[execname] = max(elapsed);
	@all[execname] = sum(elapsed);
	@times[execname] = count();
}

END
{
	normalize(@longest, 1000000);
	normalize(@all, 1000000);
	printf("%-16s %12s %12s %8s\n", "PROGRAM", "LONGEST ms", "TOGETHER ms", "TIMES");
	printa("%-16s %@12d %@12d %@8d\n", @longest, @all, @times);
}
