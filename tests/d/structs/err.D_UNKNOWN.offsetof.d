/* SPDX-License-Identifier: GPL-2.0-only */
/* A member that is not there has no place. */

struct s {
	int a;
};
BEGIN
{
	trace(offsetof(struct s, b));
	exit(0);
}
