/* SPDX-License-Identifier: GPL-2.0-only */
/* A place in a string is a number. */

BEGIN
{
	trace(substr("abc", "b"));
	exit(0);
}
