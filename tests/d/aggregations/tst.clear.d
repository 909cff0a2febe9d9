/* SPDX-License-Identifier: GPL-2.0-only */
/* clear() keeps the keys. */
#pragma D option quiet

BEGIN
{
	@["x"] = count();
	@["y"] = count();
	clear(@);
	printa("%s %@d\n", @);
	exit(0);
}
