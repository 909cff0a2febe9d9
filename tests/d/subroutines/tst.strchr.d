/* SPDX-License-Identifier: GPL-2.0-only */
/* strchr() and strrchr(). */
#pragma D option quiet

BEGIN
{
	s = "a/b/c";
	printf("%s %s\n", strchr(s, '/'), strrchr(s, '/'));
	printf("%d\n", strchr(s, 'q') == NULL);
	exit(0);
}
