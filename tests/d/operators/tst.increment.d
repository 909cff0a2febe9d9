/* SPDX-License-Identifier: GPL-2.0-only */
/* Before and after. */
#pragma D option quiet

BEGIN
{
	x = 5;
	printf("%d ", x++);
	printf("%d ", ++x);
	printf("%d ", x--);
	printf("%d\n", --x);
	exit(0);
}
