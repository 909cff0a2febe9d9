/* SPDX-License-Identifier: GPL-2.0-only */
/* A key's type converts. */
#pragma D option quiet

BEGIN
{
	a[(char)1] = 5;
	printf("%d\n", a[1]);
	exit(0);
}
