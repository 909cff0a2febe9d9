/* SPDX-License-Identifier: GPL-2.0-only */
/* A value may count several times. */
#pragma D option quiet

BEGIN
{
	@ = quantize(10, 3);
	@ = quantize(100, 1);
	exit(0);
}
