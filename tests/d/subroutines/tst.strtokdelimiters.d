/* SPDX-License-Identifier: GPL-2.0-only */
/* strtok() skips delimiters. */
#pragma D option quiet

BEGIN
{
	printf("'%s' ", strtok("//usr//bin/", "/"));
	printf("'%s'\n", strtok(NULL, "/"));
	exit(0);
}
