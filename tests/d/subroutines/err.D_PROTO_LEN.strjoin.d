/* SPDX-License-Identifier: GPL-2.0-only */
/* strjoin() takes two strings. */

BEGIN
{
	trace(strjoin("a"));
	exit(0);
}
