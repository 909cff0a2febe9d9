/* SPDX-License-Identifier: GPL-2.0-only */
/* A program reads its user's memory. */
/* @needs: guest */
/* @options: -c 'cat /nonexistent-for-d' */
#pragma D option quiet

syscall::openat:entry
/pid == $target && copyinstr(arg1) == "/nonexistent-for-d"/
{
	printf("%s %d\n", copyinstr(arg1, 5), *(char *)copyin(arg1, 1) == '/');
}
