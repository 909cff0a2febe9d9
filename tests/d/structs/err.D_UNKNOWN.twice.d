/* SPDX-License-Identifier: GPL-2.0-only */
/* A member's name is its own. */

struct s {
	int a;
	int a;
};
BEGIN
{
	exit(0);
}
