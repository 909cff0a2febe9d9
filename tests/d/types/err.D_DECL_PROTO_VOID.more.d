/* SPDX-License-Identifier: GPL-2.0-only */
/* void stands alone in a list of parameters. */

int f(void, int x);
BEGIN
{
	exit(0);
}
