#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which system calls take longest?
 *
 *     slowcalls.d                   until Ctrl-C
 *
 * Prints the 20 pairs of program and call with the longest single call, in microseconds, and how much time they took
 * together. Calls that wait (poll, read from a terminal) take as long as they wait.
 * @options: -c 'ls -l /usr/bin'
 */

#pragma D option quiet

syscall:::return
{
	@longest[execname, probefunc] = max(elapsed);
	@all[execname, probefunc] = sum(elapsed);
	@calls[execname, probefunc] = count();
}

END
{
	trunc(@longest, 20);
	normalize(@longest, 1000);
	normalize(@all, 1000);
	printf("%-16s %-20s %12s %12s %8s\n", "PROGRAM", "CALL", "LONGEST us", "TOGETHER us", "CALLS");
	printa("%-16s %-20s %@12d %@12d %@8d\n", @longest, @all, @calls);
}
