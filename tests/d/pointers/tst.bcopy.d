/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory is copied. */
#pragma D option quiet

BEGIN
{
	this->a = (char *)alloca(8);
	this->b = (char *)alloca(8);
	this->a[0] = 'x';
	this->a[1] = 'y';
	bcopy(this->a, this->b, 8);
	printf("%c%c %s\n", this->b[0], this->b[1], stringof(this->b));
	exit(0);
}
