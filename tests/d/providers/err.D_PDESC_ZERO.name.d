/* SPDX-License-Identifier: GPL-2.0-only */
/* fbt has entries and returns. */
/* @needs: guest */

fbt::vfs_read:middle
{
	exit(0);
}
