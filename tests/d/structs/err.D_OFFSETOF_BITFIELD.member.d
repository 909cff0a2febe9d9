/* SPDX-License-Identifier: GPL-2.0-only */
/* A bit-field has no place in bytes. */

struct s {
	int a:3;
	int b:4;
};
BEGIN
{
	trace(offsetof(struct s, b));
	exit(0);
}
