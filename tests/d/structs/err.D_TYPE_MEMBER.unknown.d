/* SPDX-License-Identifier: GPL-2.0-only */
/* A struct has the members that it has. */

struct s {
	int a;
};
this struct s v;
BEGIN
{
	trace(this->v.b);
	exit(0);
}
