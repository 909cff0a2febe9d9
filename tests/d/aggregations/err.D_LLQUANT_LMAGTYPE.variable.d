/* SPDX-License-Identifier: GPL-2.0-only */
/* The low magnitude is a constant. */

BEGIN
{
	@a = llquantize(1, 10, pid, 3, 10);
	exit(0);
}
