/* SPDX-License-Identifier: GPL-2.0-only */
/* Arguments of a script. */
/* @arguments: 12 word */
#pragma D option quiet

BEGIN
{
	printf("%d %s\n", $1, $$2);
	exit(0);
}
