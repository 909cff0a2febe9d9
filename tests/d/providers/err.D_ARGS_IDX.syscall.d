/* SPDX-License-Identifier: GPL-2.0-only */
/* write() takes three arguments. */

syscall::write:entry
{
	trace(args[3]);
}
