/* SPDX-License-Identifier: GPL-2.0-only */
/* Along pointers. */
/* @needs: btf */
#pragma D option quiet

BEGIN
{
	printf("%d\n", curthread->real_parent->tgid == ppid);
	exit(0);
}
