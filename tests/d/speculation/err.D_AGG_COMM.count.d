/* SPDX-License-Identifier: GPL-2.0-only */
/* Aggregations do not follow commit(). */

BEGIN
{
	commit(1);
	@a = count();
}
