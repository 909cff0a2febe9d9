/* SPDX-License-Identifier: GPL-2.0-only */
/* clear() takes one aggregation. */

BEGIN
{
	clear();
	exit(0);
}
