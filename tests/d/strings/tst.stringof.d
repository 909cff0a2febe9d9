/* SPDX-License-Identifier: GPL-2.0-only */
/* A pointer to characters becomes a string. */
#pragma D option quiet

BEGIN
{
	this->p = (char *)alloca(4);
	this->p[0] = 'h';
	this->p[1] = 'i';
	printf("%s %d\n", stringof(this->p), strlen(stringof(this->p)));
	printf("%s\n", (string)this->p);
	exit(0);
}
