/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys in a format are taken in order. */
#pragma D option quiet

BEGIN
{
	@[1, "one"] = count();
	printa("%d %s %@u\n", @);
	printa("%5d|%-5s|%@5d\n", @);
	exit(0);
}
