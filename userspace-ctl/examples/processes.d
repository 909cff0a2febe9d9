#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which processes begin and end?
 *
 *     processes.d                   until Ctrl-C
 *
 * Prints a line for each new process or thread, and for each that ends, with how long it lived, in milliseconds. Exit
 * statuses are as wait(2) gives them.
 * @options: -c 'sh -c "true; false; true"'
 */

#pragma D option quiet

BEGIN
{
	printf("%-8s %-16s %8s %8s\n", "WHAT", "PROGRAM", "PID", "TID");
}

fbt::wake_up_new_task:entry
{
	printf("%-8s %-16s %8d %8d by %s\n", "begin", args[0]->comm, args[0]->tgid, args[0]->pid, execname);
	born[args[0]->pid] = timestamp;
}

fbt::do_exit:entry
{
	printf("%-8s %-16s %8d %8d status %d", "end", execname, pid, tid, (int)arg0);
}

fbt::do_exit:entry
/born[tid] == 0/
{
	printf("\n");
}

fbt::do_exit:entry
/born[tid] != 0/
{
	printf(" after %d ms\n", (timestamp - born[tid]) / 1000000);
	born[tid] = 0;
}
