/* SPDX-License-Identifier: GPL-2.0-only */
/* Empty fields. */
#pragma D option quiet

:::BEGIN
{
	printf("x\n");
	exit(0);
}
