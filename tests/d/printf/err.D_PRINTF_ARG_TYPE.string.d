/* SPDX-License-Identifier: GPL-2.0-only */
/* A string is no number. */

BEGIN
{
	printf("%d\n", "text");
	exit(0);
}
