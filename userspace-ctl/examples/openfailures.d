#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which files could not be opened, and why?
 *
 *     openfailures.d                until Ctrl-C
 *
 * Prints a line for each failure: the process, the error's number (errno(3)) and the path as the program gave it.
 * @options: -c 'cat /nonexistent'
 */

#pragma D option quiet

fbt::do_sys_openat2:return
/(int)arg1 < 0/
{
	printf("%8d %-16s %4d %s\n", pid, execname, -(int)arg1, copyinstr(entryarg1));
}
