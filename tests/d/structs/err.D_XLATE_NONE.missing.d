/* SPDX-License-Identifier: GPL-2.0-only */
/* There is no translator to a type of the program's. */

struct from {
	int a;
};
struct to {
	int b;
};
BEGIN
{
	trace(xlate<struct to>((struct from *)0).b);
	exit(0);
}
