/* SPDX-License-Identifier: GPL-2.0-only */
/* A bit-field is no larger than its type. */

struct s {
	int a:33;
};
BEGIN
{
	exit(0);
}
