/* SPDX-License-Identifier: GPL-2.0-only */
/* Parameters have no storage class. */

int f(static int x);
BEGIN
{
	exit(0);
}
