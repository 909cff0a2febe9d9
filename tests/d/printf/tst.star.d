/* SPDX-License-Identifier: GPL-2.0-only */
/* Widths and precisions as arguments. */
#pragma D option quiet

BEGIN
{
	printf("[%*d] [%-*d]\n", 5, 42, 5, 42);
	printf("[%.*s] [%*.*s]\n", 2, "abcdef", 5, 2, "abcdef");
	exit(0);
}
