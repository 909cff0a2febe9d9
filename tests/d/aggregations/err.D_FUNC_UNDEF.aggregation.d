/* SPDX-License-Identifier: GPL-2.0-only */
/* The name of an aggregation is no function that is known. */

BEGIN
{
	@a(1);
	exit(0);
}
