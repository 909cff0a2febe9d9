/* SPDX-License-Identifier: GPL-2.0-only */
/* A number does not point. */

BEGIN
{
	x = 1;
	trace(*x);
	exit(0);
}
