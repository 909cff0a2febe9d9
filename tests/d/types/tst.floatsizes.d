/* SPDX-License-Identifier: GPL-2.0-only */
/* Floating point has sizes. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d\n", sizeof (float), sizeof (double), sizeof (signed char));
	exit(0);
}
