/* SPDX-License-Identifier: GPL-2.0-only */
/* A variable of D has no address. */

BEGIN
{
	x = 1;
	trace(&x);
	exit(0);
}
