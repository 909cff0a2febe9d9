/* SPDX-License-Identifier: GPL-2.0-only */
/* An array in memory is where it is: cast, assigned, passed. */
#pragma D option quiet

struct pair {
	char first[8];
	int second[2];
};
this char a[4];
this int *i;
BEGIN
{
	this->p = (struct pair *)alloca(sizeof (struct pair));
	bcopy("abcdefg", this->p->first, 8);
	this->c = (char *)this->p->first;
	this->i = this->p->second;
	this->i[1] = 5;
	printf("%c%c %d ", this->c[0], *((char *)this->p->first + 1), this->p->second[1]);
	((char *)this->a)[1] = 'z';
	printf("%c %d\n", this->a[1], (void *)this->p->second == (void *)((char *)(this->p + 1) - 8));
	exit(0);
}
