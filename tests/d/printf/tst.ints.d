/* SPDX-License-Identifier: GPL-2.0-only */
/* Integers. */
#pragma D option quiet

BEGIN
{
	printf("%d %i %u %x %X %o\n", 255, -255, 255, 255, 255, 255);
	exit(0);
}
