/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers of user code: of 64 bits, in ioctl(2); and what the kernel keeps of the thread. */
/* @needs: btf */
#pragma D option quiet

BEGIN
{
	printf("%x %x %d\n", uregs[R_CS], uregs[R_SS], uregs[R_ERR]);
	printf("%d %d\n", uregs[R_FS] == curthread->thread.fsbase, uregs[R_FS] != 0);
	printf("%d %d %d\n", uregs[R_GS] == curthread->thread.gsbase,
	    uregs[R_DS] == curthread->thread.ds, uregs[R_ES] == curthread->thread.es);
	printf("%d\n", uregs[R_TRAPNO] == curthread->thread.trap_nr);
	exit(0);
}

ERROR
{
	exit(1);
}
