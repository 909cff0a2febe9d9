/* SPDX-License-Identifier: GPL-2.0-only */
/* A typedef is a name for a type. */
#pragma D option quiet

typedef int number_t;
typedef number_t *pointer_t;
number_t n;
BEGIN
{
	n = 12;
	printf("%d %d %d\n", n, sizeof (number_t), sizeof (pointer_t));
	exit(0);
}
