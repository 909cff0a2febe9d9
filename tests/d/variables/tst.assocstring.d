/* SPDX-License-Identifier: GPL-2.0-only */
/* Associative arrays of strings. */
#pragma D option quiet

BEGIN
{
	name[1] = "one";
	name[2] = "two";
	printf("%s %s '%s'\n", name[1], name[2], name[3]);
	name[1] = 0;
	printf("'%s'\n", name[1]);
	exit(0);
}
