/* SPDX-License-Identifier: GPL-2.0-only */
/* normalize() takes a number. */

BEGIN
{
	@a = count();
	normalize(@a, "two");
	exit(0);
}
