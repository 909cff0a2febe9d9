/* SPDX-License-Identifier: GPL-2.0-only */
/* A declaration has one base type. */

int float x;
BEGIN
{
	exit(0);
}
