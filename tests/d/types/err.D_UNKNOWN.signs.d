/* SPDX-License-Identifier: GPL-2.0-only */
/* One sign is enough. */

signed unsigned x;
BEGIN
{
	exit(0);
}
