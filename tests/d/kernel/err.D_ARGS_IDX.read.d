/* SPDX-License-Identifier: GPL-2.0-only */
/* vfs_read() has four arguments. */
/* @needs: btf */

fbt::vfs_read:entry
{
	trace(args[4]);
	exit(0);
}
