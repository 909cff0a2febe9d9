/* SPDX-License-Identifier: GPL-2.0-only */
/* A variable keeps its type. */

int x;
string x;
BEGIN
{
	exit(0);
}
