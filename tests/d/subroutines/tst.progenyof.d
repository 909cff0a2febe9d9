/* SPDX-License-Identifier: GPL-2.0-only */
/* A process is its own progeny. */
#pragma D option quiet

BEGIN
{
	printf("%d %d\n", progenyof($pid) != 0, progenyof(2) != 0);
	exit(0);
}
