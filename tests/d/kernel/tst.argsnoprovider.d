/* SPDX-License-Identifier: GPL-2.0-only */
/* A system call that is no function of the kernel needs no provider. */
/* @needs: btf */
/* @options: -c true */
#pragma D option quiet

exit_group:entry
/pid == $target/
{
	printf("%d\n", args[0] == arg0);
	exit(0);
}
