/* SPDX-License-Identifier: GPL-2.0-only */
/* The statements behind exit() in the same clause run. */
#pragma D option quiet

BEGIN
{
	exit(0);
	printf("still here\n");
}
