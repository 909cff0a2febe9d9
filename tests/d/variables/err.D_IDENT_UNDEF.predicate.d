/* SPDX-License-Identifier: GPL-2.0-only */
/* A name that nobody knows, in a predicate. */

BEGIN
/no_such_name/
{
	exit(0);
}
