/* SPDX-License-Identifier: GPL-2.0-only */
/* Flags. */
#pragma D option quiet

BEGIN
{
	printf("[%+d] [%+d] [% d] [% d]\n", 5, -5, 5, -5);
	printf("[%#x] [%#o] [%#X]\n", 255, 8, 255);
	printf("[%-05d] [%0-5d]\n", 42, 42);
	exit(0);
}
