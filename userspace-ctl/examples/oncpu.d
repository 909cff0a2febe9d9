#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where do the CPUs spend their time in the kernel?
 *
 *     oncpu.d                       until Ctrl-C
 *
 * Looks 99 times a second on each CPU, and prints the 20 most frequent pairs of program and kernel stack, the most
 * frequent last.
 * @options: -c 'ls -lR /etc'
 */

#pragma D option quiet

profile-99hz
/pid != 0/
{
	@[execname, stack()] = count();
}

END
{
	trunc(@, 20);
	printa("%s%k%@d\n\n", @);
}
