#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much memory does the kernel allocate at once, and for whom?
 *
 *     kmalloc.d                     until Ctrl-C
 *
 * Prints a distribution of the bytes that were asked for, and the 10 programs that asked for most.
 * @options: -c 'ls -lR /etc'
 */

#pragma D option quiet

fbt::__kmalloc_noprof:entry
{
	@sizes = quantize(arg0);
	@bytes[execname] = sum(arg0);
}

fbt::__kmalloc_cache_noprof:entry
{
	@sizes = quantize(arg2);
	@bytes[execname] = sum(arg2);
}

END
{
	printa(@sizes);
	trunc(@bytes, 10);
	printf("\n%-16s %12s\n", "PROGRAM", "BYTES");
	printa("%-16s %@12d\n", @bytes);
}
