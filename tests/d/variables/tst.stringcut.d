/* SPDX-License-Identifier: GPL-2.0-only */
/* A string variable holds strsize bytes with the NUL. */
/* @options: -x strsize=8 */
#pragma D option quiet

BEGIN
{
	s = "abcdefghijk";
	printf("%s\n", s);
	exit(0);
}
