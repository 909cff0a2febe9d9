/* SPDX-License-Identifier: GPL-2.0-only */
/* The status is a number. */

BEGIN
{
	exit("zero");
}
