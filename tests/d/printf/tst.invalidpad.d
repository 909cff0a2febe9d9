/* SPDX-License-Identifier: GPL-2.0-only */
/* Flags of %s and %c. */
#pragma D option quiet

BEGIN
{
	printf("[%-8c] [%8c] [%-8s]\n", 'a', 'b', "c");
	exit(0);
}
