/* SPDX-License-Identifier: GPL-2.0-only */
/* basename() and dirname(). */
#pragma D option quiet

BEGIN
{
	printf("%s %s\n", basename("/usr/lib/libc.so"), dirname("/usr/lib/libc.so"));
	printf("%s %s\n", basename("/usr/lib/"), dirname("/usr/lib/"));
	printf("%s %s\n", basename("file"), dirname("file"));
	printf("%s %s\n", basename("/"), dirname("/"));
	printf("%s %s\n", basename(""), dirname(""));
	exit(0);
}
