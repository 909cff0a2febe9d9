/* SPDX-License-Identifier: GPL-2.0-only */
/* Casts bind tighter than binary operators. */
#pragma D option quiet

BEGIN
{
	printf("%d %d\n", (uint8_t)255 + 1, (uint8_t)(255 + 1));
	exit(0);
}
