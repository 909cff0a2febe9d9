/* SPDX-License-Identifier: GPL-2.0-only */
/* Signs. */
#pragma D option quiet

BEGIN
{
	x = 5;
	printf("%d %d %d %d\n", -x, +x, - -x, ~x);
	exit(0);
}
