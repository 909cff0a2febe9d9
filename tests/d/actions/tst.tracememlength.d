/* SPDX-License-Identifier: GPL-2.0-only */
/* A third argument shortens what is shown. */
#pragma D option quiet

BEGIN
{
	this->p = (char *)alloca(16);
	this->p[0] = 'a';
	this->n = 4;
	tracemem(this->p, 16, this->n);
	exit(0);
}
