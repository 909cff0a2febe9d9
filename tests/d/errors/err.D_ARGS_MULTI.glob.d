/* SPDX-License-Identifier: GPL-2.0-only */
/* args[] needs one function. */
/* @needs: guest */

fbt::vfs_*:entry
{
	trace(args[0]);
	exit(0);
}
