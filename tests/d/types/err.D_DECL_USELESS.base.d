/* SPDX-License-Identifier: GPL-2.0-only */
/* A declaration declares something. */

int;
BEGIN
{
	exit(0);
}
