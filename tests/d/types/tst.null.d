/* SPDX-License-Identifier: GPL-2.0-only */
/* NULL is zero. */
#pragma D option quiet

BEGIN
{
	printf("%d %d\n", NULL == 0, (int *)NULL == NULL);
	exit(0);
}
