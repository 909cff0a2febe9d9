/* SPDX-License-Identifier: GPL-2.0-only */
/* speculate() takes a number. */

BEGIN
{
	speculate();
}
