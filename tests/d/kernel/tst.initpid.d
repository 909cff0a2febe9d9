/* SPDX-License-Identifier: GPL-2.0-only */
/* The first task. */
/* @needs: btf */
#pragma D option quiet

BEGIN
{
	printf("%d %s\n", `init_task.pid, `init_task.comm);
	exit(0);
}
