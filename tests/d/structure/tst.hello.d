/* SPDX-License-Identifier: GPL-2.0-only */
/* The shortest program that says something. */
#pragma D option quiet

BEGIN
{
	printf("hello, world\n");
	exit(0);
}
