/* SPDX-License-Identifier: GPL-2.0-only */
/* Characters. */
#pragma D option quiet

BEGIN
{
	printf("%c%c%c [%3c]\n", 'D', 114, 97, 'x');
	exit(0);
}
