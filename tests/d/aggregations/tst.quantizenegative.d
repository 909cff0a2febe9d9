/* SPDX-License-Identifier: GPL-2.0-only */
/* Negative values and zero. */
#pragma D option quiet

BEGIN
{
	@ = quantize(-1);
	@ = quantize(0);
	@ = quantize(0);
	@ = quantize(-6);
	@ = quantize(4);
	exit(0);
}
