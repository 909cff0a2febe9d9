/* SPDX-License-Identifier: GPL-2.0-only */
/* The high magnitude fits 16 bits. */

BEGIN
{
	@a = llquantize(1, 10, 0, 65537, 10);
	exit(0);
}
