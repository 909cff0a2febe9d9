/* SPDX-License-Identifier: GPL-2.0-only */
/* Strings are assigned by value. */
#pragma D option quiet

BEGIN
{
	a = "first";
	b = a;
	a = "second";
	printf("%s %s\n", a, b);
	exit(0);
}
