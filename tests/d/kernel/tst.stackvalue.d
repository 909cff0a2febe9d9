/* SPDX-License-Identifier: GPL-2.0-only */
/* A stack is a value: it can be kept, cut, asked for its depth and its frames, and be a key. */
/* @needs: guest */
/* @options: -c 'true' */
#pragma D option quiet

fbt::vfs_read:entry
/progenyof($target) && stack(4).depth == 4 && stack(4).is_user == 0/
{
	v = stack(3);
	this->v = v;
	self->v = this->v;
	a[1] = self->v;
	printf("%d %d %d\n", a[1].depth, v.addrs[1] == caller, a[1].addrs[2] == v.addrs[2]);
	u = ustack(5);
	printf("%d %d %d\n", u.is_user, u.pid == pid, u.addrs[0] == uregs[R_PC]);
	v.depth = 0;
	printf("[%k]", v);
	v.depth = 1;
	@[v] = count();
	v.depth = 0x7fffffff;
	u = v;
	exit(u.depth == v.depth ? 0 : 1);
}

END
{
	printa("%@d\n", @);
}
