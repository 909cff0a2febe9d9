/* SPDX-License-Identifier: GPL-2.0-only */
/* Macro variables. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d\n", $pid > 0, $ppid > 0, $uid >= 0);
	exit(0);
}
