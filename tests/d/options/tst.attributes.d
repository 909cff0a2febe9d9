/* SPDX-License-Identifier: GPL-2.0-only */
/* Attributes of a variable. */
#pragma D option quiet

int x;
#pragma D attributes Stable/Stable/Common x
BEGIN
{
	x = 1;
	printf("%d\n", x);
	exit(0);
}
