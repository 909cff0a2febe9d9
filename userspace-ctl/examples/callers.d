#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who calls a function of the kernel, and by which way?
 *
 *     callers.d vfs_read            until Ctrl-C
 *
 * Prints the 20 most frequent pairs of program and kernel stack, the most frequent last.
 * @arguments: vfs_read
 * @options: -c 'cat /etc/passwd'
 */

#pragma D option quiet

fbt::$1:entry
{
	@[execname, stack()] = count();
}

END
{
	trunc(@, 20);
	printa("%s%k%@d\n\n", @);
}
