/* SPDX-License-Identifier: GPL-2.0-only */
/* A variable holds pointers of one kind, in all clauses. */

BEGIN
{
	p = (char *)arg0;
}
BEGIN
{
	p = (char *)alloca(4) + 1;
	exit(0);
}
