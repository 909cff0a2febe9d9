/* SPDX-License-Identifier: GPL-2.0-only */
/* No enumerator is there twice in one enumeration. */

enum colour {
	red = 3,
	red = 4
};
BEGIN
{
	exit(0);
}
