/* SPDX-License-Identifier: GPL-2.0-only */
/* No string is longer than strsize. */
/* @options: -x strsize=16 */
#pragma D option quiet

BEGIN
{
	s = strjoin("0123456789", "abcdefghij");
	printf("%s %d\n", s, strlen(s));
	exit(0);
}
