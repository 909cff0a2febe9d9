/* SPDX-License-Identifier: GPL-2.0-only */
/* Elements of an array are counted up. */
#pragma D option quiet

BEGIN
{
	a["x"]++;
	a["x"]++;
	a["x"] += 10;
	printf("%d %d\n", a["x"], a["x"]--);
	printf("%d\n", a["x"]);
	exit(0);
}
