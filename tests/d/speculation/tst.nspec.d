/* SPDX-License-Identifier: GPL-2.0-only */
/* nspec says how many there are. */
#pragma D option quiet

#pragma D option nspec=3
BEGIN
{
	printf("%d %d %d ", speculation(), speculation(), speculation());
	printf("%d\n", speculation());
	exit(0);
}
