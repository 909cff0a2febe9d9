/* SPDX-License-Identifier: GPL-2.0-only */
/* Globs in descriptions. */
/* @needs: guest */
#pragma D option quiet

dtrace:::BEG*
{
	printf("glob\n");
	exit(0);
}
