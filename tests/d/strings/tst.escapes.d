/* SPDX-License-Identifier: GPL-2.0-only */
/* Octal and hexadecimal escapes, and those that are none. */
#pragma D option quiet

BEGIN
{
	printf("%s|%s\n", "abc\"\044\?\x4D", "\?\\\'\"");
	exit(0);
}
