/* SPDX-License-Identifier: GPL-2.0-only */
/* An enumerator's value is a constant. */

enum colour {
	RED = pid
};
BEGIN
{
	exit(0);
}
