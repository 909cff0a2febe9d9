/* SPDX-License-Identifier: GPL-2.0-only */
/* A width is a number. */

BEGIN
{
	printf("%*d\n", "five", 1);
	exit(0);
}
