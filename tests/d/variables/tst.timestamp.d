/* SPDX-License-Identifier: GPL-2.0-only */
/* Time goes on. */
#pragma D option quiet

BEGIN { t = timestamp; w = walltimestamp; }
tick-1ms
{
	printf("%s %s\n", timestamp > t ? "later" : "not later",
	    walltimestamp > w ? "later" : "not later");
	exit(0);
}
