/* SPDX-License-Identifier: GPL-2.0-only */
/* The conditional operator. */
#pragma D option quiet

BEGIN
{
	x = 5;
	printf("%d %d\n", x > 3 ? 1 : 2, x > 7 ? 1 : 2);
	printf("%s\n", x == 5 ? "five" : "other");
	printf("%s\n", x == 1 ? "one" : x == 5 ? "five" : "many");
	/* Of a constant only the arm that is taken counts. */
	printf("%d %s\n", 1 ? 1 : "text", 0 ? nothing : "text");
	exit(0);
}
