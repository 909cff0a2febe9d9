/* SPDX-License-Identifier: GPL-2.0-only */
/* The low magnitude fits 16 bits. */

BEGIN
{
	@a = llquantize(1, 10, 65537, 65538, 10);
	exit(0);
}
