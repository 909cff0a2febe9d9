/* SPDX-License-Identifier: GPL-2.0-only */
/* A distribution by powers of two. */
#pragma D option quiet

BEGIN
{
	@ = quantize(1);
	@ = quantize(3);
	@ = quantize(2);
	@ = quantize(8);
	exit(0);
}
