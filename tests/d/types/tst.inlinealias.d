/* SPDX-License-Identifier: GPL-2.0-only */
/* An inline that is another name of a variable can be assigned to. */
#pragma D option quiet

int x;
string text;
inline int y = x;
inline string words = text;
BEGIN
{
	x = 1;
	y = 20;
	y++;
	words = "more";
	printf("%d %d %s\n", x, y, text);
	exit(0);
}
