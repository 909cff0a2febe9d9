/* SPDX-License-Identifier: GPL-2.0-only */
/* Pointers are not multiplied. */

BEGIN
{
	trace((int *)1 * 2);
	exit(0);
}
