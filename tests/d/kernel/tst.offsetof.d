/* SPDX-License-Identifier: GPL-2.0-only */
/* Members' places are those of the running kernel. */
/* @needs: btf */
#pragma D option quiet

BEGIN
{
	this->t = (struct task_struct *)curthread;
	printf("%d\n", *(int *)((char *)this->t + offsetof(struct task_struct, tgid)) == pid);
	exit(0);
}
