/* SPDX-License-Identifier: GPL-2.0-only */
/* A string that is empty, or has what cannot be printed, is dumped where it is a key. */
#pragma D option quiet
#pragma D option strsize=16
#pragma D option aggsortkey

BEGIN
{
	@[""] = sum(1);
	@["a\001b"] = sum(2);
	exit(0);
}
