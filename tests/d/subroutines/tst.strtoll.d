/* SPDX-License-Identifier: GPL-2.0-only */
/* strtoll() in several bases. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d %d\n", strtoll("123"), strtoll("-45"), strtoll("ff", 16), strtoll("101", 2));
	printf("%d %d\n", strtoll("0x1f", 16), strtoll("12abc"));
	exit(0);
}
