/* SPDX-License-Identifier: GPL-2.0-only */
/* strjoin(). */
#pragma D option quiet

BEGIN
{
	printf("%s %s\n", strjoin("foo", "bar"), strjoin(strjoin("a", ""), strjoin("b", "c")));
	exit(0);
}
