#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which files are read most?
 *
 *     hotfiles.d                    until Ctrl-C
 *
 * Prints the 20 names of files of which most bytes were read, the most last.
 * @options: -c 'cat /etc/passwd'
 */

#pragma D option quiet

fbt::vfs_read:entry
{
	self->name = stringof(args[0]->f_path.dentry->d_name.name);
}

fbt::vfs_read:return
/(long)arg1 > 0/
{
	@[self->name] = sum((long)arg1);
	self->name = 0;
}

END
{
	trunc(@, 20);
	printa("%-40s %@12d\n", @);
}
