/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of the command have names, though exit() ends both. */
/* @needs: guest */
/* @options: -c 'sleep 1000' */
#pragma D option quiet

syscall::clock_nanosleep:entry
/pid == $target/
{
	umod(uregs[R_RIP]);
	printf("|");
	ustack(1);
	exit(0);
}
