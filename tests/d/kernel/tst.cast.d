/* SPDX-License-Identifier: GPL-2.0-only */
/* A cast to a type of the kernel. */
/* @needs: btf */
#pragma D option quiet

BEGIN
{
	this->t = (struct task_struct *)curthread;
	printf("%s\n", stringof(this->t->comm));
	exit(0);
}
