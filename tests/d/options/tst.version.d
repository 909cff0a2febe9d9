/* SPDX-License-Identifier: GPL-2.0-only */
/* What came later than the version that is asked for is free for names of the program's own. */

#pragma D option quiet
#pragma D option version=1.0

int strstr;
string index;

BEGIN
{
	strstr = 3;
	index = "first";
	stddev[1] = 4;
	printf("%d %s %d\n", strstr, index, stddev[1]);
	exit(0);
}
