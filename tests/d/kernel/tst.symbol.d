/* SPDX-License-Identifier: GPL-2.0-only */
/* Variables of the kernel by name. */
/* @needs: btf */
#pragma D option quiet

BEGIN
{
	printf("%d %d\n", `jiffies > 0, vmlinux`jiffies > 0);
	exit(0);
}
