/* SPDX-License-Identifier: GPL-2.0-only */
/* Pointers are not added. */

BEGIN
{
	trace((int *)1 + (int *)2);
	exit(0);
}
