/* SPDX-License-Identifier: GPL-2.0-only */
/* A number is not assigned a struct of the kernel. */
/* @needs: btf */

BEGIN
{
	x = 1;
	x = *`cad_pid;
	exit(0);
}
