/* SPDX-License-Identifier: GPL-2.0-only */
/* A char is neither short nor long. */

short char x;
BEGIN
{
	exit(0);
}
