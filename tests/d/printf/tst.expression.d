/* SPDX-License-Identifier: GPL-2.0-only */
/* Arguments are expressions. */
#pragma D option quiet

BEGIN
{
	x = 6;
	printf("%d %s\n", x * 7, x > 5 ? "more" : "less");
	exit(0);
}
