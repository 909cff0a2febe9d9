/* SPDX-License-Identifier: GPL-2.0-only */
/* Constants in decimal, octal and hexadecimal. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d %d\n", 17, 021, 0x11, 0X1f);
	exit(0);
}
