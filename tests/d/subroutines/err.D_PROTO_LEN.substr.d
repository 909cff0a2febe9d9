/* SPDX-License-Identifier: GPL-2.0-only */
/* substr() takes a place as well. */

BEGIN
{
	trace(substr("abc"));
	exit(0);
}
