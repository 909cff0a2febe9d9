/* SPDX-License-Identifier: GPL-2.0-only */
/* Associative arrays with one key. */
#pragma D option quiet

BEGIN
{
	a["one"] = 1;
	a["two"] = 2;
	printf("%d %d %d\n", a["one"], a["two"], a["three"]);
	a["one"] = 10;
	printf("%d\n", a["one"]);
	exit(0);
}
