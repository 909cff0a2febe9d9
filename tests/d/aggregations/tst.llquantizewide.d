/* SPDX-License-Identifier: GPL-2.0-only */
/* Magnitudes of very many levels, and the highest there are. */
#pragma D option quiet

BEGIN
{
	@a = llquantize(70000, 2, 14, 16, 32768);
	@b = llquantize(-70000, 2, 14, 16, 32768);
	@c = llquantize((1LL << 62) + 5, 2, 60, 62, 2);
	@d = llquantize(9223372036854775807, 10, 18, 18, 10);
	printa("%@d", @a);
	printa("%@d", @b);
	printa("%@d", @c);
	printa("%@d", @d);
	exit(0);
}
