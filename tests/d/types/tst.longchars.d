/* SPDX-License-Identifier: GPL-2.0-only */
/* Character constants of several characters. */
#pragma D option quiet

BEGIN
{
	printf("%x %d %d\n", 'abcd', '\?', '\"');
	exit(0);
}
