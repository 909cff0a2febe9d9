/* SPDX-License-Identifier: GPL-2.0-only */
/* An empty string. */
#pragma D option quiet

BEGIN
{
	s = "";
	printf("%d %d\n", s == "", strlen(s));
	exit(0);
}
