/* SPDX-License-Identifier: GPL-2.0-only */
/* An array has a size or keys. */

int a[];
BEGIN
{
	exit(0);
}
