/* SPDX-License-Identifier: GPL-2.0-only */
/* A character of a string that is no variable of the program's. */

BEGIN
{
	execname[0] = 'x';
	exit(0);
}
