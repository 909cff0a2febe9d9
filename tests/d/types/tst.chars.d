/* SPDX-License-Identifier: GPL-2.0-only */
/* Character constants and their escapes. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d %d %d\n", 'a', '\n', '\t', '\\', '\"');
	printf("%d %d %d\n", '\0', '\101', '\x41');
	exit(0);
}
