/* SPDX-License-Identifier: GPL-2.0-only */
/* Strings compare with what they hold. */
#pragma D option quiet

BEGIN
{
	s = "dog";
	printf("%d %d %d\n", s == "dog", s == "cat", s > "cat");
	exit(0);
}
