/* SPDX-License-Identifier: GPL-2.0-only */
/* A predicate is closed by a slash. */

BEGIN
/1
{
	exit(0);
}
