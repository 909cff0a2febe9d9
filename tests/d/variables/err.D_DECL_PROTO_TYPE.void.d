/* SPDX-License-Identifier: GPL-2.0-only */
/* A key has a type with values. */

int x[void, char];
BEGIN
{
	exit(0);
}
