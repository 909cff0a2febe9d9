/* SPDX-License-Identifier: GPL-2.0-only */
/* What is aggregated has 64 bits, whatever its type has. */
#pragma D option quiet

int i;

BEGIN
{
	i = 2000000000;
	@sum = sum(i + i);
	@max = max(1 << 32);
	@min = min(-(i * 4));
	@quantize = quantize(1 << 33);
	exit(0);
}
