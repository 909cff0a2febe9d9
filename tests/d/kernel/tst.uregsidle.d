/* SPDX-License-Identifier: GPL-2.0-only */
/* A thread of the kernel has no registers in user space. */
/* @needs: guest */
#pragma D option quiet

tick-1ms
/pid == 0/
{
	printf("%d %d\n", uregs[R_SP], uregs[R_FS]);
	exit(0);
}

ERROR
{
	exit(1);
}
