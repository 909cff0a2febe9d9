/* SPDX-License-Identifier: GPL-2.0-only */
/* printf() takes a format. */

BEGIN
{
	printf();
	exit(0);
}
