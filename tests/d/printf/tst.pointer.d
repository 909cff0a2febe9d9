/* SPDX-License-Identifier: GPL-2.0-only */
/* Pointers. */
#pragma D option quiet

BEGIN
{
	printf("%p %p\n", (void *)0x1234, (int *)0);
	exit(0);
}
