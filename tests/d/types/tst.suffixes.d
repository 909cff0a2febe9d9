/* SPDX-License-Identifier: GPL-2.0-only */
/* Suffixes give a constant its type. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d %d\n", sizeof (1), sizeof (1u), sizeof (1l), sizeof (1ull));
	exit(0);
}
