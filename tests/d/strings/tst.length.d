/* SPDX-License-Identifier: GPL-2.0-only */
/* A string ends at its NUL. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d\n", strlen(""), strlen("abc"), strlen("ab\0cd"));
	exit(0);
}
