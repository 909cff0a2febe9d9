/* SPDX-License-Identifier: GPL-2.0-only */
/* As much as scratchsize says is had. */
#pragma D option quiet
#pragma D option scratchsize=1k

BEGIN
{
	p = (char *)alloca(1024);
	p[1023] = 'y';
	printf("%c", p[1023]);
	size = 1024;
	p = (char *)alloca(size);
	p[1023] = 'z';
	printf("%c\n", p[1023]);
	exit(0);
}
