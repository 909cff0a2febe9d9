/* SPDX-License-Identifier: GPL-2.0-only */
/* A symbol is shown by %a: it is no string. */

BEGIN
{
	printf("%s", sym(arg0));
	exit(0);
}
