/* SPDX-License-Identifier: GPL-2.0-only */
/* A name that nobody knows. */

BEGIN
{
	trace(no_such_name);
	exit(0);
}
