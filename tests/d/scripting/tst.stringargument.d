/* SPDX-License-Identifier: GPL-2.0-only */
/* $$ makes a string of anything. */
/* @arguments: 12 */
#pragma D option quiet

BEGIN
{
	printf("%d %s %d\n", $1 + 1, $$1, strlen($$1));
	exit(0);
}
