/* SPDX-License-Identifier: GPL-2.0-only */
/* A scope is no part of a declared name. */

int vmlinux`x;
BEGIN
{
	exit(0);
}
