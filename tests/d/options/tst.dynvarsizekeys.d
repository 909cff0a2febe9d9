/* SPDX-License-Identifier: GPL-2.0-only */
/* An element of an array takes room for its keys as well: 20 bytes here, so three are too many. */
/* @stderr: 1 dynamic variable drop */
#pragma D option quiet
#pragma D option dynvarsize=59

BEGIN
{
	a[1] = 1;
	a[2] = 2;
	a[3] = 3;
	printf("%d %d %d\n", a[1], a[2], a[3]);
	exit(0);
}
