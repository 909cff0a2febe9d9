/* SPDX-License-Identifier: GPL-2.0-only */
/* The types that a program and the language have are those of D. */
#pragma D option quiet

typedef int number_t;
BEGIN
{
	p = (D`number_t *)alloca(sizeof (D`number_t));
	*p = 7;
	printf("%d %d %d\n", *p, sizeof (D`number_t), sizeof (C`uint16_t));
	exit(0);
}
