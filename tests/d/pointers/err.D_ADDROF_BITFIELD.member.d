/* SPDX-License-Identifier: GPL-2.0-only */
/* A bit-field has no address. */

struct s {
	int a:3;
};
BEGIN
{
	this->p = (struct s *)alloca(sizeof (struct s));
	trace(&this->p->a);
	exit(0);
}
