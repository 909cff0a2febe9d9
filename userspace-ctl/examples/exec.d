#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which programs are executed, with which arguments?
 *
 *     exec.d                        until Ctrl-C
 *
 * Prints a line for each execve(2): who asked for it, the file, and up to 6 arguments.
 * @options: -c 'sh -c "ls /usr; cat /etc/hostname"'
 */

#pragma D option quiet

syscall::execve:entry
{
	this->argv = (uint64_t *)copyin(arg1, 8 * 2);
	printf("%8d %-16s %s", pid, execname, copyinstr(arg0));
	this->p = this->argv[0] ? this->argv[1] : 0;
}

syscall::execve:entry
/this->p/
{
	printf(" %s", copyinstr(this->p));
	this->p = *(uint64_t *)copyin(arg1 + 16, 8);
}

syscall::execve:entry
/this->p/
{
	printf(" %s", copyinstr(this->p));
	this->p = *(uint64_t *)copyin(arg1 + 24, 8);
}

syscall::execve:entry
/this->p/
{
	printf(" %s", copyinstr(this->p));
	this->p = *(uint64_t *)copyin(arg1 + 32, 8);
}

syscall::execve:entry
/this->p/
{
	printf(" %s", copyinstr(this->p));
	this->p = *(uint64_t *)copyin(arg1 + 40, 8);
}

syscall::execve:entry
/this->p/
{
	printf(" %s", copyinstr(this->p));
}

syscall::execve:entry
{
	printf("\n");
}
