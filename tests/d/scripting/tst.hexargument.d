/* SPDX-License-Identifier: GPL-2.0-only */
/* An argument may be hexadecimal. */
/* @arguments: 0x20 */
#pragma D option quiet

BEGIN
{
	printf("%d\n", $1);
	exit(0);
}
