/* SPDX-License-Identifier: GPL-2.0-only */
/* A struct that is translated as a whole is nowhere, and so are its members. */

struct in {
	int a;
};
struct out {
	int b;
};
translator struct out < struct in *i > {
	b = i->a;
};
BEGIN
{
	xlate < struct out > ((struct in *)arg0).b = 1;
	exit(0);
}
