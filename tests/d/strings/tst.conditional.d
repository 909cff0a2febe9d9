/* SPDX-License-Identifier: GPL-2.0-only */
/* A string that depends. */
#pragma D option quiet

BEGIN
{
	x = 2;
	s = x == 1 ? "one" : "not one";
	printf("%s\n", s);
	exit(0);
}
