/* SPDX-License-Identifier: GPL-2.0-only */
/* A member that is an array of characters. */
#pragma D option quiet

struct named {
	int n;
	char name[8];
};
this struct named s;
BEGIN
{
	this->s.name[0] = 'a';
	this->s.name[1] = 'b';
	printf("%s %d\n", stringof(this->s.name), sizeof (this->s.name));
	exit(0);
}
