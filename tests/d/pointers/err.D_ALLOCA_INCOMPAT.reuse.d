/* SPDX-License-Identifier: GPL-2.0-only */
/* A variable holds pointers of one kind. */

BEGIN
{
	this->p = (int *)alloca(4);
	this->p = NULL;
	this->p = (int *)arg0;
	exit(0);
}
