/* SPDX-License-Identifier: GPL-2.0-only */
/* The value of stack() is no place. */

fbt::vfs_read:entry
{
	stack(5).depth = 2;
}
