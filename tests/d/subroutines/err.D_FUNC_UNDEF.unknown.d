/* SPDX-License-Identifier: GPL-2.0-only */
/* A function that nobody knows. */

BEGIN
{
	no_such_function(1);
	exit(0);
}
