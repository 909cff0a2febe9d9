/* SPDX-License-Identifier: GPL-2.0-only */
/* Widths. */
#pragma D option quiet

BEGIN
{
	printf("[%5d] [%-5d] [%05d] [%2d]\n", 42, 42, 42, 12345);
	printf("[%6s] [%-6s]\n", "abc", "abc");
	exit(0);
}
