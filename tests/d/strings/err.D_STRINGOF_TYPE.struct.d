/* SPDX-License-Identifier: GPL-2.0-only */
/* A struct is no string. */

struct s {
	int a;
};
this struct s v;
BEGIN
{
	trace(stringof(this->v));
	exit(0);
}
