/* SPDX-License-Identifier: GPL-2.0-only */
/* The greatest of negative values. */
#pragma D option quiet

BEGIN
{
	@ = max(-5);
	@ = max(-3);
	printa("%@d\n", @);
	exit(0);
}
