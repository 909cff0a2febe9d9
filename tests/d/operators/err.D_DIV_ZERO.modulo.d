/* SPDX-License-Identifier: GPL-2.0-only */
/* The remainder of a division by zero. */

BEGIN
{
	trace(5 % 0);
	exit(0);
}
