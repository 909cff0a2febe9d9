/* SPDX-License-Identifier: GPL-2.0-only */
/* Static storage has no meaning in D. */

static int x;
BEGIN
{
	exit(0);
}
