/* SPDX-License-Identifier: GPL-2.0-only */
/* A number has no members to tell the place of. */

BEGIN
{
	trace(offsetof(int, a));
	exit(0);
}
