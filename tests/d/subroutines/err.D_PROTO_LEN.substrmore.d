/* SPDX-License-Identifier: GPL-2.0-only */
/* substr() takes no more than a length. */

BEGIN
{
	trace(substr("abc", 1, 1, 1));
	exit(0);
}
