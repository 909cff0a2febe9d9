/* SPDX-License-Identifier: GPL-2.0-only */
/* Text alone, and escapes. */
#pragma D option quiet

BEGIN
{
	printf("a\tb\n");
	printf("\"quoted\" \\ \101\n");
	exit(0);
}
