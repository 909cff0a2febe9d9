/* SPDX-License-Identifier: GPL-2.0-only */
/* A size is a number. */

BEGIN
{
	trace(alloca("four"));
	exit(0);
}
