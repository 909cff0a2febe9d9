/* SPDX-License-Identifier: GPL-2.0-only */
/* A string that is a member: assigned, compared, a key, a subroutine's argument. */
#pragma D option quiet
#pragma D option strsize=16

struct person {
	int age;
	string name;
	char initial;
} one, all[int];

BEGIN
{
	one.age = 42;
	one.name = "Ada";
	one.initial = one.name[0];
	all[1] = one;
	all[2].name = "Grace";
	all[2].name = strjoin(all[2].name, " H");
	all[3].name = "longer than there is room for";
	printf("%s %d %c %d\n", one.name, one.age, one.initial, one.name == "Ada");
	printf("%s, %s, %s.\n", all[1].name, all[2].name, all[3].name);
	printf("%d %d %d\n", strlen(all[3].name), sizeof(one.name), sizeof(struct person));
	@[one.name] = count();
	this->copy = all[2].name;
	trace(this->copy);
	exit(0);
}
