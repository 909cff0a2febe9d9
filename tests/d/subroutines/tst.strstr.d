/* SPDX-License-Identifier: GPL-2.0-only */
/* strstr(). */
#pragma D option quiet

BEGIN
{
	printf("%s %s\n", strstr("foobarbaz", "bar"), strstr("foobarbaz", ""));
	printf("%d\n", strstr("foobarbaz", "qux") == NULL);
	exit(0);
}
