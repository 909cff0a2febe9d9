/* SPDX-License-Identifier: GPL-2.0-only */
/* Distributions by key. */
#pragma D option quiet

BEGIN
{
	@["small"] = quantize(1);
	@["large"] = quantize(1000);
	@["large"] = quantize(1500);
	exit(0);
}
