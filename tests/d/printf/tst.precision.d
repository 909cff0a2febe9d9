/* SPDX-License-Identifier: GPL-2.0-only */
/* Precisions. */
#pragma D option quiet

BEGIN
{
	printf("[%.3d] [%8.3d] [%-8.3d]\n", 7, 7, 7);
	printf("[%.2s] [%5.2s] [%.6s]\n", "abcdef", "abcdef", "abcdefgh");
	exit(0);
}
