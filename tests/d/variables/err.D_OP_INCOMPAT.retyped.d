/* SPDX-License-Identifier: GPL-2.0-only */
/* The first assignment gives the type. */

BEGIN
{
	x = 1;
	x = "text";
	exit(0);
}
