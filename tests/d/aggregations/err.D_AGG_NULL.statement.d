/* SPDX-License-Identifier: GPL-2.0-only */
/* An aggregation alone does nothing. */

BEGIN
{
	@a = count();
	@a;
	exit(0);
}
