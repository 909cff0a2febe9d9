/* SPDX-License-Identifier: GPL-2.0-only */
/* args[] have the types of the function's parameters. */
/* @needs: btf */
/* @options: -c 'sh -c "cat /proc/version > /dev/null"' */
#pragma D option quiet

fbt::vfs_read:entry
/progenyof($target) && args[0]->f_path.dentry->d_name.name != NULL &&
    stringof(args[0]->f_path.dentry->d_name.name) == "version"/
{
	printf("%d\n", args[2] > 0);
	exit(0);
}
