/* SPDX-License-Identifier: GPL-2.0-only */
/* A member is an array of char, no string. */

struct s {
	string a;
};
BEGIN
{
	exit(0);
}
