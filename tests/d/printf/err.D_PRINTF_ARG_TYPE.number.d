/* SPDX-License-Identifier: GPL-2.0-only */
/* A number is no string. */

BEGIN
{
	printf("%s\n", 17);
	exit(0);
}
