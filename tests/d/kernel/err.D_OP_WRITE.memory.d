/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's memory is not written. */
/* @needs: btf */

BEGIN
{
	curthread->pid = 1;
	exit(0);
}
