#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How large are reads and writes, by process?
 *
 *     rwsize.d                      until Ctrl-C
 *
 * Prints a distribution of bytes for each program and direction, and the bytes in all.
 * @options: -c 'cat /etc/passwd'
 */

#pragma D option quiet

fbt::vfs_read:return,
fbt::vfs_write:return
/(long)arg1 > 0/
{
	@sizes[execname, probefunc] = quantize((long)arg1);
	@bytes[execname, probefunc] = sum((long)arg1);
}

END
{
	printa(@sizes);
	printf("\n%-16s %-12s %12s\n", "PROGRAM", "FUNCTION", "BYTES");
	printa("%-16s %-12s %@12d\n", @bytes);
}
