/* SPDX-License-Identifier: GPL-2.0-only */
/* A name does not begin with a digit. */

int 1st;
BEGIN
{
	exit(0);
}
