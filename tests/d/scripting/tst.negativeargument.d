/* SPDX-License-Identifier: GPL-2.0-only */
/* An argument may be negative. */
/* @arguments: -- -5 */
#pragma D option quiet

BEGIN
{
	printf("%d\n", $1 - 1);
	exit(0);
}
