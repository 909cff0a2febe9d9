/* SPDX-License-Identifier: GPL-2.0-only */
/* cleanpath(). */
#pragma D option quiet

BEGIN
{
	printf("%s\n", cleanpath("/foo/./bar"));
	printf("%s\n", cleanpath("/foo//bar"));
	printf("%s\n", cleanpath("/foo/../bar"));
	printf("%s\n", cleanpath("/../.."));
	printf("%s\n", cleanpath("/foo/bar/"));
	printf("%s\n", cleanpath("/foo/bar/.."));
	printf("%s\n", cleanpath("/foo/."));
	printf("%s\n", cleanpath("foo/../../bar/"));
	printf("%s\n", cleanpath("foo/.."));
	printf("[%s]\n", cleanpath(""));
	exit(0);
}
