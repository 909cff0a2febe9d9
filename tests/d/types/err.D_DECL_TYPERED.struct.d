/* SPDX-License-Identifier: GPL-2.0-only */
/* A struct is defined once. */

struct s {
	int a;
};
struct s {
	int b;
};
BEGIN
{
	exit(0);
}
