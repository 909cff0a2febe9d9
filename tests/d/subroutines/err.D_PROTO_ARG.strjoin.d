/* SPDX-License-Identifier: GPL-2.0-only */
/* strjoin() takes strings. */

BEGIN
{
	trace(strjoin("a", 17));
	exit(0);
}
