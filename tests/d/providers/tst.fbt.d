/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions of the kernel. */
/* @needs: guest */
/* @options: -c 'cat /nonexistent-for-d' */
#pragma D option quiet

int failed;
fbt::do_sys_openat2:entry
/pid == $target/
{
	@["entries"] = count();
}
fbt::do_sys_openat2:return
/pid == $target/
{
	@["returns"] = count();
	failed += (int)arg1 == -ENOENT;
}
END
/failed >= 1/
{
	printf("failed\n");
	clear(@);
	printa("%s %@d\n", @);
}
