/* SPDX-License-Identifier: GPL-2.0-only */
/* How long a call took. */
/* @needs: guest */
/* @options: -c 'sh -c "cat /proc/self/status > /dev/null"' */
#pragma D option quiet

int bad;
int n;

fbt::vfs_read:return
/progenyof($target)/
{
	bad += elapsed == 0 || elapsed > 60000000000;
	n++;
}
END { printf("%d %d\n", n > 0, bad); }
