/* SPDX-License-Identifier: GPL-2.0-only */
/* A constant is divided by zero. */

BEGIN
{
	trace(1 / 0);
	exit(0);
}
