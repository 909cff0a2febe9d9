/* SPDX-License-Identifier: GPL-2.0-only */
/* A symbol that the kernel does not have. */
/* @needs: guest */

BEGIN
{
	trace(`no_such_symbol_at_all);
	exit(0);
}
