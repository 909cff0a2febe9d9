/* SPDX-License-Identifier: GPL-2.0-only */
/* The high magnitude is a constant. */

BEGIN
{
	@a = llquantize(1, 10, 0, pid, 10);
	exit(0);
}
