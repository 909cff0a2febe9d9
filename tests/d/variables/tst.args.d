/* SPDX-License-Identifier: GPL-2.0-only */
/* BEGIN's arguments are 0. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d\n", arg0, arg1, arg5);
	exit(0);
}
