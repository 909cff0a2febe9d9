/* SPDX-License-Identifier: GPL-2.0-only */
/* quantize() takes a value. */

BEGIN
{
	@a = quantize();
	exit(0);
}
