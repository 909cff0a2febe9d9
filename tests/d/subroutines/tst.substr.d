/* SPDX-License-Identifier: GPL-2.0-only */
/* substr() with places before, in and behind the string. */
#pragma D option quiet

BEGIN
{
	s = "foobarbaz";
	printf("%s|%s|%s\n", substr(s, 3), substr(s, 3, 3), substr(s, 0, 3));
	printf("%s|%s|%s\n", substr(s, -3), substr(s, -3, 2), substr(s, 20));
	printf("%s|%s|%s\n", substr(s, 5, 100), substr(s, 2, -2), substr(s, 3, 0));
	exit(0);
}
