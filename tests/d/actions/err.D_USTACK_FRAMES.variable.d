/* SPDX-License-Identifier: GPL-2.0-only */
/* How many frames is a constant. */

BEGIN
{
	ustack(pid);
	exit(0);
}
