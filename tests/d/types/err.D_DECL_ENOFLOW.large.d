/* SPDX-License-Identifier: GPL-2.0-only */
/* An enumerator fits an int. */

enum colour {
	RED = 0x7fffffff,
	GREEN
};
BEGIN
{
	exit(0);
}
