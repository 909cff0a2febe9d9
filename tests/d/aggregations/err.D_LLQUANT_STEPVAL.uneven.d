/* SPDX-License-Identifier: GPL-2.0-only */
/* The factor divides the steps, or they it. */

BEGIN
{
	@a = llquantize(1, 10, 0, 3, 15);
	exit(0);
}
