/* SPDX-License-Identifier: GPL-2.0-only */
/* What is translated is computed once, however many members speak of it. */

#pragma D option quiet

struct twice {
	int sum;
};

translator struct twice < int n > {
	sum = n + n + n;
};

int n;

BEGIN
{
	printf("%d %d\n", xlate <struct twice> (++n).sum, n);
	printf("%d\n", xlate <struct twice *> (strlen("abcd"))->sum);
	exit(0);
}
