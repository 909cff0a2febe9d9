/* SPDX-License-Identifier: GPL-2.0-only */
/* avg() takes one value. */

BEGIN
{
	@a = avg(1, 2);
	exit(0);
}
