/* SPDX-License-Identifier: GPL-2.0-only */
/* A conversion without an argument. */

BEGIN
{
	printf("%d %d\n", 1);
	exit(0);
}
