/* SPDX-License-Identifier: GPL-2.0-only */
/* No stack is deeper than maxframes. */
/* @needs: guest */
/* @options: -c 'sh -c "cat /proc/version > /dev/null"' */
#pragma D option quiet
#pragma D option maxframes=2

fbt::vfs_read:entry
/progenyof($target)/
{
	printf("%d %d\n", stackdepth, ustackdepth <= 2);
	exit(0);
}
