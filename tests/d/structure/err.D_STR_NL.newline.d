/* SPDX-License-Identifier: GPL-2.0-only */
/* A string constant ends on its line. */

BEGIN
{
	trace("one
two");
	exit(0);
}
