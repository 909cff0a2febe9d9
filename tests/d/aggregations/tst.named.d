/* SPDX-License-Identifier: GPL-2.0-only */
/* Aggregations have names. */
#pragma D option quiet

BEGIN
{
	@one = count();
	@two = sum(7);
	@two = sum(5);
	exit(0);
}
