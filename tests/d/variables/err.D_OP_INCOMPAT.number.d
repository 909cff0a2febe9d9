/* SPDX-License-Identifier: GPL-2.0-only */
/* A string is no number. */

string s;
BEGIN
{
	s = 17;
	exit(0);
}
