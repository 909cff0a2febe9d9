/* SPDX-License-Identifier: GPL-2.0-only */
/* A variable of an enum. */
#pragma D option quiet

enum state {
	OFF = -1,
	ON = 1
};
enum state s;
BEGIN
{
	s = ON;
	printf("%d %d\n", s, s == ON);
	s = OFF;
	printf("%d\n", s);
	exit(0);
}
