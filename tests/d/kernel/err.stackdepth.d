/* SPDX-License-Identifier: GPL-2.0-only */
/* A stack that was kept and is to be deeper than there is room for ends the trace. */
/* @needs: guest */

BEGIN
{
	v = stack(5);
	v.depth = 0x7fffffff;
	printf("%k", v);
	exit(0);
}
