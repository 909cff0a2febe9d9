/* SPDX-License-Identifier: GPL-2.0-only */
/* Nothing is cast to a struct. */

struct s {
	int a;
};
BEGIN
{
	trace(((struct s)1).a);
	exit(0);
}
