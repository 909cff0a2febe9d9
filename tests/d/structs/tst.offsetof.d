/* SPDX-License-Identifier: GPL-2.0-only */
/* Where members are. */
#pragma D option quiet

struct mixed {
	char a;
	short b;
	int c;
	char d;
	long e;
};
BEGIN
{
	printf("%d %d %d %d %d\n", offsetof(struct mixed, a), offsetof(struct mixed, b),
	    offsetof(struct mixed, c), offsetof(struct mixed, d), offsetof(struct mixed, e));
	exit(0);
}
