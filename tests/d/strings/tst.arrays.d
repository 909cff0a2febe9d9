/* SPDX-License-Identifier: GPL-2.0-only */
/* Arrays of strings: variables of every kind and members, each element with a string's whole room. */
#pragma D option quiet
#pragma D option strsize=16

string all[3];
self string mine[2];
this string here[2];
struct names {
	int count;
	string of[2];
	char end;
} names, by[int];

BEGIN
{
	all[1] = "one";
	i = 2;
	all[i] = strjoin(all[1], "two");
	printf("[%s][%s][%s] %d %d\n", all[0], all[1], all[i], sizeof (all), sizeof (all[0]));
	printf("%d %d %c %s\n", strlen(all[2]), all[1] == "one", all[1][0], *(all + 1));
	p = &all[1];
	printf("%s %s\n", *p, p[1]);
	self->mine[1] = all[1];
	this->here[0] = self->mine[1];
	this->here[1] = "longer than there is room for";
	printf("[%s][%s][%s][%s]\n", self->mine[0], self->mine[1], this->here[0], this->here[1]);
}

BEGIN
{
	names.of[1] = "b";
	names.end = 'x';
	names.of[0] = "a";
	by[3] = names;
	by[3].of[1] = "c";
	printf("%s%s%c %s%s %d\n", names.of[0], names.of[1], names.end, by[3].of[0], by[3].of[1], sizeof (names));
	print(names);
	@[all[1], names.of[0]] = count();
	trace(all[2]);
}

BEGIN
{
	exit(0);
}
