/* SPDX-License-Identifier: GPL-2.0-only */
/* A conversion that is none. */

BEGIN
{
	printf("%Z\n", 1);
	exit(0);
}
