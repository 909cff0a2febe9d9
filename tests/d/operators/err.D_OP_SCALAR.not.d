/* SPDX-License-Identifier: GPL-2.0-only */
/* A struct is neither true nor false. */

struct s {
	int a;
};
this struct s v;
BEGIN
{
	trace(!this->v);
	exit(0);
}
