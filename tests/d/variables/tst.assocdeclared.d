/* SPDX-License-Identifier: GPL-2.0-only */
/* A declared associative array. */
#pragma D option quiet

int a[int, string];
string b[char];
BEGIN
{
	a[1, "k"] = 5;
	b['c'] = "letter";
	printf("%d %s\n", a[1, "k"], b['c']);
	exit(0);
}
