/* SPDX-License-Identifier: GPL-2.0-only */
/* normalize() takes a factor. */

BEGIN
{
	@a = count();
	normalize(@a);
	exit(0);
}
