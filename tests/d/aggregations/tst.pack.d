/* SPDX-License-Identifier: GPL-2.0-only */
/* aggpack shows distributions in a line. */
#pragma D option quiet

#pragma D option aggpack
BEGIN
{
	@["a"] = quantize(1);
	@["b"] = quantize(8);
	exit(0);
}
