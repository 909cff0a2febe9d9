/* SPDX-License-Identifier: GPL-2.0-only */
/* String constants and their escapes. */
#pragma D option quiet

BEGIN
{
	printf("%s|%s|%s\n", "a\tb", "c\\d", "e\"f");
	printf("%s\n", "\x41\102C");
	exit(0);
}
