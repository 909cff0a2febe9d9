/* SPDX-License-Identifier: GPL-2.0-only */
/* A size that is told is the argument's. */

BEGIN
{
	printf("%ld\n", 1);
	exit(0);
}
