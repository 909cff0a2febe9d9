/* SPDX-License-Identifier: GPL-2.0-only */
/* A distribution is normalized, too. */
#pragma D option quiet

BEGIN
{
	@ = quantize(1, 100);
	@ = quantize(2, 50);
	normalize(@, 10);
	exit(0);
}
