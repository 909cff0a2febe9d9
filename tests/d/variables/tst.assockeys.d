/* SPDX-License-Identifier: GPL-2.0-only */
/* Associative arrays with several keys. */
#pragma D option quiet

BEGIN
{
	a[1, "x"] = 11;
	a[1, "y"] = 12;
	a[2, "x"] = 21;
	printf("%d %d %d %d\n", a[1, "x"], a[1, "y"], a[2, "x"], a[2, "y"]);
	exit(0);
}
