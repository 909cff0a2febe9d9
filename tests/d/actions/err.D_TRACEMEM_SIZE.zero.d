/* SPDX-License-Identifier: GPL-2.0-only */
/* There is a byte at least. */

BEGIN
{
	tracemem(curthread, 0);
	exit(0);
}
