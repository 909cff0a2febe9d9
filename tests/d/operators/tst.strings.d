/* SPDX-License-Identifier: GPL-2.0-only */
/* Strings are compared by their bytes. */
#pragma D option quiet

BEGIN
{
	printf("%d%d%d%d%d%d\n", "abc" < "abd", "abc" <= "abc", "abd" > "abc", "abc" >= "abd",
	    "abc" == "abc", "abc" != "abc");
	printf("%d%d\n", "ab" < "abc", "" < "a");
	exit(0);
}
