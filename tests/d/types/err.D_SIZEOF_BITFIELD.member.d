/* SPDX-License-Identifier: GPL-2.0-only */
/* A bit-field has no size in bytes. */

struct s {
	int a:3;
};
this struct s v;
BEGIN
{
	trace(sizeof (this->v.a));
	exit(0);
}
