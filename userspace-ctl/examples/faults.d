#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which programs fault pages in, and how long does it take?
 *
 *     faults.d                      until Ctrl-C
 *
 * Prints a distribution of nanoseconds for each program, and the number of faults.
 * @options: -c 'ls /usr/bin'
 */

#pragma D option quiet

fbt::handle_mm_fault:return
{
	@time[execname] = quantize(elapsed);
	@faults[execname] = count();
}

END
{
	printa(@time);
	printf("\n%-16s %8s\n", "PROGRAM", "FAULTS");
	printa("%-16s %@8d\n", @faults);
}
