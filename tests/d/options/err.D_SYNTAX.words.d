/* SPDX-License-Identifier: GPL-2.0-only */
/* Without option pspec int* is the beginning of a declaration. */
int*
{
	exit(0);
}
