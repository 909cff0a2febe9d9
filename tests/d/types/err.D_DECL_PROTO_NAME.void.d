/* SPDX-License-Identifier: GPL-2.0-only */
/* void has no name in a list of parameters. */

int f(void x);
BEGIN
{
	exit(0);
}
