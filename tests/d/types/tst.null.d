/* SPDX-License-Identifier: GPL-2.0-only */
/* NULL is zero, an int. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d\n", NULL == 0, (int *)NULL == NULL, sizeof(NULL));
	exit(0);
}
