/* SPDX-License-Identifier: GPL-2.0-only */
/* A bit-field has bits. */

struct s {
	int a:0;
};
BEGIN
{
	exit(0);
}
