/* SPDX-License-Identifier: GPL-2.0-only */
/* The arguments of the process, with blanks between them. */
/* @needs: btf */
/* @options: -c 'sh -c ": one two; true"' */
#pragma D option quiet

syscall::exit_group:entry
/pid == $target/
{
	printf("[%s] %d\n", execargs, curpsinfo->pr_psargs == execargs);
	exit(0);
}
