#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who waits for the kernel's sleeping locks?
 *
 *     locks.d                       until Ctrl-C
 *
 * Prints the 20 triples of lock function, program and kernel stack that waited longest in all, in microseconds, the
 * longest last. Only waits of more than 10 microseconds are counted.
 * @options: -c 'ls -lR /etc'
 */

#pragma D option quiet

fbt::mutex_lock*:return,
fbt::down_read:return,
fbt::down_write:return
/elapsed > 10000/
{
	@[probefunc, execname, stack(8)] = sum(elapsed);
}

END
{
	trunc(@, 20);
	normalize(@, 1000);
	printa("%s %s%k%@d us\n\n", @);
}
