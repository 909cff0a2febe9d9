/* SPDX-License-Identifier: GPL-2.0-only */
/* strlen() takes one string. */

BEGIN
{
	trace(strlen("a", "b"));
	exit(0);
}
