#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who sends which signals to whom?
 *
 *     signals.d                     until Ctrl-C
 *
 * Prints a line for each signal: the process in which it was sent, its number, and the process that gets it.
 * @options: -c 'sh -c "kill -URG $$"'
 */

#pragma D option quiet

fbt::send_signal_locked:entry
{
	printf("%8d %-16s signal %2d to %8d %s\n", pid, execname, args[0], args[2]->tgid, args[2]->comm);
}
