/* SPDX-License-Identifier: GPL-2.0-only */
/* A string as key. */
#pragma D option quiet

BEGIN
{
	@["red"] = count();
	@["green"] = count();
	@["green"] = count();
	exit(0);
}
