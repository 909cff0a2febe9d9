/* SPDX-License-Identifier: GPL-2.0-only */
/* Members are aligned. */
#pragma D option quiet

struct mixed {
	char a;
	int b;
	char c;
	long d;
};
BEGIN
{
	printf("%d\n", sizeof (struct mixed));
	exit(0);
}
