/* SPDX-License-Identifier: GPL-2.0-only */
/* A string is assigned through a pointer: as many bytes as it has, and its NUL. */
#pragma D option quiet

BEGIN
{
	this->p = (string *)alloca(sizeof (string) + 1);
	*this->p = "abcdef";
	*this->p = "xyz";
	printf("%s %c\n", *this->p, ((char *)this->p)[4]);
	exit(0);
}
