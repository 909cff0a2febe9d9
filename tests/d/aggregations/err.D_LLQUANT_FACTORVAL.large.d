/* SPDX-License-Identifier: GPL-2.0-only */
/* The factor fits 16 bits. */

BEGIN
{
	@a = llquantize(1, 65537, 0, 3, 10);
	exit(0);
}
