/* SPDX-License-Identifier: GPL-2.0-only */
/* A string that has what cannot be printed is dumped where it is a key; an empty one is a blank field. */
#pragma D option quiet
#pragma D option strsize=16
#pragma D option aggsortkey

BEGIN
{
	@[""] = sum(1);
	@["a\001b"] = sum(2);
	exit(0);
}
