/* SPDX-License-Identifier: GPL-2.0-only */
/* lltostr() in several bases. */
#pragma D option quiet

BEGIN
{
	printf("%s %s %s %s\n", lltostr(255), lltostr(-255), lltostr(255, 16), lltostr(255, 8));
	printf("%s %s\n", lltostr(0), lltostr(5, 2));
	exit(0);
}
