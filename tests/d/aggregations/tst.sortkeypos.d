/* SPDX-License-Identifier: GPL-2.0-only */
/* aggsortkeypos chooses the key. */
#pragma D option quiet

#pragma D option aggsortkey
#pragma D option aggsortkeypos=1
BEGIN
{
	@[1, "z"] = count();
	@[2, "y"] = count();
	@[3, "x"] = count();
	printa("%d %s\n", @);
	exit(0);
}
