/* SPDX-License-Identifier: GPL-2.0-only */
/* strlen(). */
#pragma D option quiet

BEGIN
{
	printf("%d %d\n", strlen("hello"), strlen(""));
	exit(0);
}
