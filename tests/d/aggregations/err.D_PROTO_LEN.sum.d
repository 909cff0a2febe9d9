/* SPDX-License-Identifier: GPL-2.0-only */
/* sum() takes one value. */

BEGIN
{
	@a = sum();
	exit(0);
}
