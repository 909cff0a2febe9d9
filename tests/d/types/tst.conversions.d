/* SPDX-License-Identifier: GPL-2.0-only */
/* Values that are assigned to shorter and longer variables. */
#pragma D option quiet

unsigned int i;
char c;
short s;
long long ll;
BEGIN
{
	i = 4294967295;
	ll = i;
	printf("%d %x\n", i, ll);
	ll = 8589934591;
	i = ll;
	printf("%d %x\n", ll, i);
	s = 1601;
	c = s;
	printf("%d %c\n", s, c);
	exit(0);
}
