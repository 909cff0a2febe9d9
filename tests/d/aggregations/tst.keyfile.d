/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of one file of a process are one key, which is shown by the file's name. */
/* @needs: guest */
#pragma D option quiet

BEGIN
{
	@[umod(uregs[R_RIP])] = count();
	@[umod(uregs[R_RIP] - 1)] = count();
	exit(0);
}
