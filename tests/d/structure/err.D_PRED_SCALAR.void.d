/* SPDX-License-Identifier: GPL-2.0-only */
/* A predicate has a scalar value. */

struct pair {
	int a;
	int b;
};
this struct pair p;

BEGIN
/this->p/
{
	exit(0);
}
