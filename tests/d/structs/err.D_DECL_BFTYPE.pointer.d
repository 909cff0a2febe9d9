/* SPDX-License-Identifier: GPL-2.0-only */
/* A bit-field is an integer. */

struct s {
	int *a:3;
};
BEGIN
{
	exit(0);
}
