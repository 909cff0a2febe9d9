/* SPDX-License-Identifier: GPL-2.0-only */
/* Both branches are of one kind. */

BEGIN
{
	trace(pid == 1 ? "one" : 2);
	exit(0);
}
