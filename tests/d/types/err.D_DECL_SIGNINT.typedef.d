/* SPDX-License-Identifier: GPL-2.0-only */
/* What has a name of its own has its sign already, so this is no variable `length`. */

typedef int length;
unsigned length x;
BEGIN
{
	exit(0);
}
