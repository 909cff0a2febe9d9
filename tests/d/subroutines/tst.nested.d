/* SPDX-License-Identifier: GPL-2.0-only */
/* Subroutines in each other. */
#pragma D option quiet

BEGIN
{
	printf("%s\n", toupper(substr(strjoin("hello", basename("/a/b")), 3)));
	printf("%d\n", strlen(strjoin("ab", "cde")) * 2);
	exit(0);
}
