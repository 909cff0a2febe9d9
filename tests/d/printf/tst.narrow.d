/* SPDX-License-Identifier: GPL-2.0-only */
/* A value is printed as wide as its type. */
#pragma D option quiet

BEGIN
{
	printf("%x %x %x\n", (char)-1, (short)-1, -1);
	printf("%u %u\n", (uint8_t)255, (uint16_t)65535);
	exit(0);
}
