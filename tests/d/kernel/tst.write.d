/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's memory is read, and the copy is the program's own. */
/* @needs: btf */
#pragma D option quiet

BEGIN
{
	x = curthread->prio;
	x++;
	printf("%d\n", x == curthread->prio + 1);
	exit(0);
}
