/* SPDX-License-Identifier: GPL-2.0-only */
/* A system call that is no function of the kernel needs no provider. */
/* @needs: btf */

write:entry
{
	trace(args[6]);
}
