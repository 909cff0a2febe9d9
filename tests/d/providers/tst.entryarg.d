/* SPDX-License-Identifier: GPL-2.0-only */
/* A return knows the arguments of its entry. */
/* @needs: guest */
/* @options: -c 'sh -c "cat /proc/self/status > /dev/null"' */
#pragma D option quiet

int bad;

fbt::vfs_read:entry /progenyof($target)/ { self->count = arg2; self->in = 1; }
fbt::vfs_read:return /self->in/ { bad += self->count != entryarg2; self->in = 0; }
END { printf("bad %d\n", bad); }
