/* SPDX-License-Identifier: GPL-2.0-only */
/* The length of a number. */

BEGIN
{
	trace(strlen(17));
	exit(0);
}
