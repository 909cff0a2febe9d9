/* SPDX-License-Identifier: GPL-2.0-only */
/* %S shows what cannot be printed as an escape. */
#pragma D option quiet

BEGIN
{
	printf("%S\n", "a\tb\nc");
	exit(0);
}
