/* SPDX-License-Identifier: GPL-2.0-only */
/* A structure that dtrace makes up is not traced whole. */

BEGIN
{
	trace(curpsinfo);
	exit(0);
}
