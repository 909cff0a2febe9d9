/* SPDX-License-Identifier: GPL-2.0-only */
/* What comes out may have strings. */
#pragma D option quiet

struct in {
	int number;
};

typedef struct out {
	string text;
	int twice;
} out_t;

translator out_t < struct in from >
{
	text = strjoin("number ", lltostr(from.number));
	twice = 2 * from.number;
};

struct in in;
out_t whole;

BEGIN
{
	in.number = 21;
	printf("%s\n", xlate < out_t > (in).text);
	whole = xlate < out_t > (in);
	printf("%s, %d\n", whole.text, whole.twice);
	exit(0);
}
