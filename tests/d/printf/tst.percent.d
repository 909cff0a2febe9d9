/* SPDX-License-Identifier: GPL-2.0-only */
/* A percent sign. */
#pragma D option quiet

BEGIN
{
	printf("100%%\n");
	exit(0);
}
