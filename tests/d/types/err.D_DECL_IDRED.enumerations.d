/* SPDX-License-Identifier: GPL-2.0-only */
/* An enumerator's name is its own among all enumerations. */

enum colour {
	red = 3
};
enum light {
	green,
	red
};
BEGIN
{
	exit(0);
}
