/* SPDX-License-Identifier: GPL-2.0-only */
/* normalize() divides what is shown. */
#pragma D option quiet

BEGIN
{
	@["a"] = sum(1000);
	@["b"] = sum(2999);
	normalize(@, 1000);
	printa("%s %@d\n", @);
	denormalize(@);
	printa("%s %@d\n", @);
	exit(0);
}
