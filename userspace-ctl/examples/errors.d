#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which system calls fail, with which error, in which programs?
 *
 *     errors.d                      until Ctrl-C
 *
 * Prints a line for each program, call and error number (errno(3)), the most frequent last.
 * @options: -c 'cat /nonexistent'
 */

#pragma D option quiet

syscall:::return
/errno != 0/
{
	@[execname, probefunc, errno] = count();
}

END
{
	printf("%-16s %-24s %6s %8s\n", "PROGRAM", "CALL", "ERROR", "COUNT");
	printa("%-16s %-24s %6d %@8d\n", @);
}
