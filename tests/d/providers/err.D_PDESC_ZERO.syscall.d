/* SPDX-License-Identifier: GPL-2.0-only */
/* A system call that is not there. */
/* @needs: guest */

syscall::no_such_call:entry
{
	exit(0);
}
