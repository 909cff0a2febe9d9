/* SPDX-License-Identifier: GPL-2.0-only */
/* Members that point to functions. */
#pragma D option quiet

struct operations {
	int (*open)(int, char *);
	int (*table[2])();
	int *p[4];
};
BEGIN
{
	printf("%d\n", sizeof (struct operations));
	exit(0);
}
