/* SPDX-License-Identifier: GPL-2.0-only */
/* Associative arrays of strings: what is not there is NULL. */
#pragma D option quiet

BEGIN
{
	name[1] = "one";
	name[2] = "two";
	printf("%s %s %d\n", name[1], name[2], name[3] == NULL);
	name[1] = 0;
	printf("%d %d\n", name[1] == NULL, name[2] == NULL);
	exit(0);
}
