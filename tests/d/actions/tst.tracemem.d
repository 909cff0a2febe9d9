/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory as a dump. */
#pragma D option quiet

BEGIN
{
	this->p = (char *)alloca(16);
	this->p[0] = 'a';
	this->p[1] = 'b';
	this->p[15] = 1;
	tracemem(this->p, 16);
	exit(0);
}
