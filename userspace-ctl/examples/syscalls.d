#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many system calls does each program make?
 *
 *     syscalls.d                    until Ctrl-C
 *
 * Prints a line for each program and call, the most frequent last.
 * @options: -c 'cat /etc/passwd'
 */

#pragma D option quiet

syscall:::entry
{
	@[execname, probefunc] = count();
}

END
{
	printa("%-16s %-24s %@10d\n", @);
}
