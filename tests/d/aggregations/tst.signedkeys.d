/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys are ordered as unsigned numbers, as in libdtrace. */
#pragma D option quiet

#pragma D option aggsortkey
BEGIN
{
	@[1] = count();
	@[-1] = count();
	@[0] = count();
	printa("%d\n", @);
	exit(0);
}
