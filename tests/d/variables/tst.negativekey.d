/* SPDX-License-Identifier: GPL-2.0-only */
/* Negative keys. */
#pragma D option quiet

BEGIN
{
	a[-1] = 5;
	a[1] = 6;
	printf("%d %d\n", a[-1], a[1]);
	exit(0);
}
