/* SPDX-License-Identifier: GPL-2.0-only */
/* index() takes two strings. */

BEGIN
{
	trace(index("a"));
	exit(0);
}
