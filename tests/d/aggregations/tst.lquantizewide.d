/* SPDX-License-Identifier: GPL-2.0-only */
/* As many levels as there can be. */
#pragma D option quiet

BEGIN
{
	@a = lquantize(65534, 0, 65535);
	@a = lquantize(1 << 20, 0, 65535);
	@keys["a"] = lquantize(-3, -32768, 32767);
	@keys["b"] = lquantize(32766, -32768, 32767);
	printa("%@d", @a);
	printa("%s%@d", @keys);
	exit(0);
}
