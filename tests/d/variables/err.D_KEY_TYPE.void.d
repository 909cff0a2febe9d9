/* SPDX-License-Identifier: GPL-2.0-only */
/* A key has a value. */

BEGIN
{
	a[(void)1] = 1;
	exit(0);
}
