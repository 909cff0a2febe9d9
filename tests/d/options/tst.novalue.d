/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers, sizes and rates without a value are 0. */
#pragma D option quiet
#pragma D option aggrate
#pragma D option aggsortkey
#pragma D option aggsortkeypos=1
#pragma D option aggsortkeypos
#pragma D option switchrate

BEGIN
{
	@["b", 1] = count();
	@["a", 2] = count();
	printa("%s %d\n", @);
	exit(0);
}
