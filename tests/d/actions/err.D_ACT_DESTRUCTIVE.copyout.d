/* SPDX-License-Identifier: GPL-2.0-only */
/* Destructive actions are refused. */

BEGIN
{
	copyout(alloca(4), 0, 4);
	exit(0);
}
