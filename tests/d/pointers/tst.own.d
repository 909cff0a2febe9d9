/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of one's own is known through casts, steps and members. */
#pragma D option quiet

struct pair {
	char first[4];
	char second[4];
};
BEGIN
{
	this->p = (struct pair *)alloca(sizeof (struct pair));
	this->n = (long)this->p + 8 - 8;
	bcopy("abc", this->p->first, 4);
	bcopy("def", &this->p->second[0], 4);
	printf("%s %s\n", this->p->first, stringof((char *)this->n + 4));
	bcopy("gh", pid ? (void *)this->n : NULL, 3);
	bcopy("ij", (this->q = (char *)this->n) + 4, 3);
	printf("%s %s\n", this->p->first, this->p->second);
	exit(0);
}
