#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which files are opened, by whom?
 *
 *     opens.d                       until Ctrl-C
 *
 * Prints a line for each file that was opened: the process, the descriptor and the path as the program gave it.
 * @options: -c 'cat /etc/passwd'
 */

#pragma D option quiet

fbt::do_sys_openat2:return
/(int)arg1 >= 0/
{
	printf("%8d %-16s %4d %s\n", pid, execname, (int)arg1, copyinstr(entryarg1));
}
