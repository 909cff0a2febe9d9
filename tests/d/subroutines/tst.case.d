/* SPDX-License-Identifier: GPL-2.0-only */
/* toupper() and tolower(). */
#pragma D option quiet

BEGIN
{
	printf("%s %s\n", toupper("Hello, World 1"), tolower("Hello, World 1"));
	exit(0);
}
