/* SPDX-License-Identifier: GPL-2.0-only */
/* A string is not compared with a number. */

BEGIN
{
	trace(execname == 1);
	exit(0);
}
