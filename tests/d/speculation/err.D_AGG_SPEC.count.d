/* SPDX-License-Identifier: GPL-2.0-only */
/* Aggregations are not speculative. */

BEGIN
{
	speculate(1);
	@a = count();
}
