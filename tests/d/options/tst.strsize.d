/* SPDX-License-Identifier: GPL-2.0-only */
/* strsize counts bytes, with the NUL. */
#pragma D option quiet

#pragma D option strsize=8
BEGIN
{
	printf("%s %d\n", strjoin("abcdef", "ghijkl"), sizeof(string));
	exit(0);
}
