/* SPDX-License-Identifier: GPL-2.0-only */
/* Behind `unsigned` the name of a type is what is declared, if nothing follows it. */

typedef int length;
unsigned length;
BEGIN
{
	exit(0);
}
