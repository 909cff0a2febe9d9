/* SPDX-License-Identifier: GPL-2.0-only */
/* Least and greatest. */
#pragma D option quiet

BEGIN
{
	@low = min(5); @low = min(-2); @low = min(9);
	@high = max(5); @high = max(-2); @high = max(9);
	printa("%@d\n", @low);
	printa("%@d\n", @high);
	exit(0);
}
