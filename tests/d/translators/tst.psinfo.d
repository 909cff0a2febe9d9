/* SPDX-License-Identifier: GPL-2.0-only */
/* Members of curpsinfo and curlwpsinfo that are built-in variables need no types of the kernel. */

#pragma D option quiet

struct task_struct *none;

BEGIN
{
	printf("%d %d %d\n", curpsinfo->pr_pid == pid, (*curpsinfo).pr_ppid == ppid,
	    curlwpsinfo->pr_lwpid == tid);
	printf("%d %d\n", curpsinfo->pr_fname == execname, curpsinfo->pr_psargs == execargs);
	printf("%d %d\n", curpsinfo->pr_dmodel == PR_MODEL_LP64, curpsinfo->pr_addr == (uintptr_t)curthread);
	printf("%p\n", xlate <psinfo_t> (none).pr_addr);
	exit(0);
}
