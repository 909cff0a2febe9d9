/* SPDX-License-Identifier: GPL-2.0-only */
/* The current thread's task. */
/* @needs: btf */
#pragma D option quiet

BEGIN
{
	printf("%s %d %d\n", curthread->comm, curthread->tgid == pid, curthread->pid == tid);
	exit(0);
}
