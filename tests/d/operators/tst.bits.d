/* SPDX-License-Identifier: GPL-2.0-only */
/* Operators on bits. */
#pragma D option quiet

BEGIN
{
	printf("%x %x %x %x\n", 0xf0 & 0x3c, 0xf0 | 0x0c, 0xf0 ^ 0x3c, (uint8_t)~0xf0);
	exit(0);
}
