/* SPDX-License-Identifier: GPL-2.0-only */
/* Enumerators belong to no module. */

enum colour {
	vmlinux`red
};
BEGIN
{
	exit(0);
}
