/* SPDX-License-Identifier: GPL-2.0-only */
/* An enumerator's name is its own. */

enum colour {
	red = 3,
	red = 4
};
BEGIN
{
	exit(0);
}
