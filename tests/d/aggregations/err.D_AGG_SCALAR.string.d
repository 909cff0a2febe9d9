/* SPDX-License-Identifier: GPL-2.0-only */
/* A sum is of numbers. */

BEGIN
{
	@a = sum("text");
	exit(0);
}
