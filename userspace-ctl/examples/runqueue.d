#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long do threads that could run wait for a CPU?
 *
 *     runqueue.d                    until Ctrl-C
 *
 * Prints a distribution of nanoseconds from being woken to running, over all threads, and the longest for each program.
 * @options: -c 'ls -lR /etc'
 */

#pragma D option quiet

fbt::ttwu_do_activate:entry
{
	woken[args[1]->pid] = timestamp;
}

fbt::wake_up_new_task:entry
{
	woken[args[0]->pid] = timestamp;
}

fbt::finish_task_switch*:entry
/woken[tid]/
{
	this->waited = timestamp - woken[tid];
	@all = quantize(this->waited);
	@longest[execname] = max(this->waited);
	woken[tid] = 0;
}

END
{
	printa(@all);
	printf("\n%-16s %12s\n", "PROGRAM", "LONGEST ns");
	printa("%-16s %@12d\n", @longest);
}
