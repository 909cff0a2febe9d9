/* SPDX-License-Identifier: GPL-2.0-only */
/* System calls have the names that users know. */
/* @needs: guest */
/* @options: -c 'cat /nonexistent-for-d' */
#pragma D option quiet

syscall::openat:entry
/pid == $target && copyinstr(arg1) == "/nonexistent-for-d"/
{
	self->in = 1;
	printf("%s:%s:%s:%s\n", probeprov, probemod, probefunc, probename);
}
syscall::openat:return
/self->in/
{
	printf("%d %d %d\n", (int)arg0, (int)arg1, errno);
	self->in = 0;
}
