/* SPDX-License-Identifier: GPL-2.0-only */
/* void has no sign. */

unsigned void *x;
BEGIN
{
	exit(0);
}
