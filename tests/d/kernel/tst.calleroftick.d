/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a timer comes upon the kernel, the caller is that of the function there: the second of the stack. */
/* @needs: guest */
#pragma D option quiet

profile-997hz
/cpu == 0 && arg0 && stackdepth > 1/
{
	printf("%d", caller != 0 && caller != arg0);
	exit(0);
}
