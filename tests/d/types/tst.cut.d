/* SPDX-License-Identifier: GPL-2.0-only */
/* Assignments cut what does not fit. */
#pragma D option quiet

BEGIN
{
	printf("%d %d\n", (int8_t)255, (uint8_t)-1);
	printf("%d %d\n", (int16_t)65535, (uint16_t)-1);
	printf("%d %u\n", (int32_t)4294967295, (uint32_t)-1);
	exit(0);
}
