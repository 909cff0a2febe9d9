/* SPDX-License-Identifier: GPL-2.0-only */
/* getf() is an open file of the process, and NULL where it has none. */
/* @needs: btf */

#pragma D option quiet

syscall::write:entry
/pid == $pid/
{
	printf("%d %d %d\n", getf(arg0) != NULL, getf(-1) == NULL, getf(1 << 20) == NULL);
	printf("%d\n", getf(arg0)->f_flags == fds[arg0].fi_oflags);
	exit(0);
}

BEGIN
{
	printf("begins\n");
}

ERROR
{
	exit(1);
}
