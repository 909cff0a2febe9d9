/* SPDX-License-Identifier: GPL-2.0-only */
/* A glob means those timers that are always there. */
/* @needs: guest */
#pragma D option quiet

profile:::tick-*
/!seen[probename]/
{
	seen[probename] = 1;
	n++;
}

tick-10ms
/n == 6/
{
	printf("%d\n", n);
	exit(0);
}
