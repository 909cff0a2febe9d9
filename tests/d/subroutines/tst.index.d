/* SPDX-License-Identifier: GPL-2.0-only */
/* index() and rindex(). */
#pragma D option quiet

BEGIN
{
	s = "foobarbaz";
	printf("%d %d %d %d\n", index(s, "ba"), rindex(s, "ba"), index(s, "q"), rindex(s, "q"));
	printf("%d %d\n", index(s, "ba", 4), rindex(s, "ba", 5));
	printf("%d %d\n", index(s, ""), index("", "a"));
	printf("%d %d %d\n", index(s, "", 9), index(s, "", 10), index("", "", 1));
	printf("%d %d %d\n", rindex(s, ""), rindex(s, "", 20), rindex(s, "", -1));
	exit(0);
}
