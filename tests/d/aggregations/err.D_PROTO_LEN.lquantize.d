/* SPDX-License-Identifier: GPL-2.0-only */
/* lquantize() takes the bounds as well. */

BEGIN
{
	@a = lquantize(1);
	exit(0);
}
