/* SPDX-License-Identifier: GPL-2.0-only */
/* Sizes of types of the kernel. */
/* @needs: btf */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d\n", sizeof (struct list_head), sizeof (struct in6_addr),
	    sizeof (struct task_struct) > 1000);
	exit(0);
}
