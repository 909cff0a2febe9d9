/* SPDX-License-Identifier: GPL-2.0-only */
/* args[] in a clause of several functions. */
/* @needs: btf */
/* @options: -c 'sh -c "cat /proc/version > /dev/null"' */
#pragma D option quiet

fbt::vfs_read:entry, fbt::vfs_write:entry
/progenyof($target)/
{
	@[probefunc] = max(args[2] > 0);
}
END { printa("%s %@d\n", @); }
