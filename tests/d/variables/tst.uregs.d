/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers of user code have several names. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d %d\n", R_R15, R_RAX, R_RIP, R_TRAPNO);
	printf("%d %d %d\n", R_PC == R_EIP, R_SP == R_RSP, R_FP == R_EBP);
	printf("%d %d\n", uregs[R_R0] == uregs[R_RAX], uregs[R_R1] == uregs[R_EBX]);
	printf("%d %d\n", uregs[R_PC] == uregs[R_SP], sizeof (uregs[R_CS]));
	this->instruction = uregs[R_PC];
	printf("%d %d\n", this->instruction == uregs[R_RIP], this->instruction != 0);
	exit(0);
}

ERROR
{
	exit(1);
}
