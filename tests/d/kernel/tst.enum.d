/* SPDX-License-Identifier: GPL-2.0-only */
/* Enumerators of the kernel. */
/* @needs: btf */
#pragma D option quiet

BEGIN
{
	printf("%d %d\n", (int)PIDTYPE_PID, (int)PIDTYPE_TGID);
	exit(0);
}
