/* SPDX-License-Identifier: GPL-2.0-only */
/* The copies that assigning to a member takes are given back, so that a clause may assign to many. */
#pragma D option quiet

struct pair {
	string first;
	string second;
	int number;
};
struct pair pairs[int];
struct pair whole;

BEGIN
{
	pairs[0].first = "a"; pairs[0].second = "A"; pairs[0].number = 1;
	pairs[1].first = "b"; pairs[1].second = "B"; pairs[1].number = 2;
	pairs[2].first = "c"; pairs[2].second = "C"; pairs[2].number = 3;
	pairs[3].first = "d"; pairs[3].second = "D"; pairs[3].number = 4;
	pairs[4].first = "e"; pairs[4].second = "E"; pairs[4].number = 5;
	pairs[5].first = "f"; pairs[5].second = "F"; pairs[5].number = 6;
	pairs[6].first = "g"; pairs[6].second = "G"; pairs[6].number = 7;
	pairs[7].first = "h"; pairs[7].second = "H"; pairs[7].number = 8;
	pairs[8].first = "i"; pairs[8].second = "I"; pairs[8].number = 9;
	whole.first = "z"; whole.second = "Z"; whole.number = 26;
}

BEGIN
{
	printf("%s %s %d\n", pairs[0].first, pairs[0].second, pairs[0].number);
	printf("%s %s %d\n", pairs[8].first, pairs[8].second, pairs[8].number);
	pairs[8].number += pairs[7].number++;
	printf("%d %d %s\n", pairs[8].number, pairs[7].number, pairs[8].second);
	printf("%s %s %d\n", whole.first, whole.second, whole.number);
	exit(0);
}
