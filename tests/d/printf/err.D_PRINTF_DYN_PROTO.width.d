/* SPDX-License-Identifier: GPL-2.0-only */
/* A star takes an argument. */

BEGIN
{
	printf("%*d\n");
	exit(0);
}
