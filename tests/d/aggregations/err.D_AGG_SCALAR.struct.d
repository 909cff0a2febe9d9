/* SPDX-License-Identifier: GPL-2.0-only */
/* An average is of numbers. */

struct s {
	int a;
};
this struct s v;
BEGIN
{
	@a = avg(this->v);
	exit(0);
}
