#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long does a function of the kernel take, by process?
 *
 *     latency.d vfs_read            until Ctrl-C
 *     rtctl -s latency.d -c 'cat /etc/passwd' vfs_read
 *
 * Prints a distribution of nanoseconds for each program, of calls that returned.
 * @arguments: vfs_read
 * @options: -c 'cat /etc/passwd'
 */

#pragma D option quiet

fbt::$1:return
{
	@[execname] = quantize(elapsed);
}
