/* SPDX-License-Identifier: GPL-2.0-only */
/* Character constants of several characters. */
#pragma D option quiet

BEGIN
{
	printf("%x %d %d\n", 'abcd', '\?', '\"');
	printf("%lx %d %d\n", 'abcdefgh', sizeof('abcde'), '\'');
	exit(0);
}
