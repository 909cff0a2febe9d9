/* SPDX-License-Identifier: GPL-2.0-only */
/* sizeof does not evaluate its operand. */
#pragma D option quiet

BEGIN
{
	x = 1;
	printf("%d %d %d\n", sizeof (x++), sizeof (1 + 1), sizeof ('a'));
	printf("%d\n", x);
	exit(0);
}
