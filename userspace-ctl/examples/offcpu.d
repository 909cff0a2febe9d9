#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where do threads wait, and for how long?
 *
 *     offcpu.d                      until Ctrl-C
 *
 * Prints the 20 pairs of program and kernel stack whose threads were off the CPU longest, in microseconds, the longest
 * last. Threads that are preempted do not wait and are not counted.
 * @options: -c 'sleep 0.1'
 */

#pragma D option quiet

fbt::schedule:return
/pid != 0/
{
	@[execname, stack()] = sum(elapsed);
}

END
{
	trunc(@, 20);
	normalize(@, 1000);
	printa("%s%k%@d us\n\n", @);
}
