/* SPDX-License-Identifier: GPL-2.0-only */
/* A negative width as an argument is to the left. */
#pragma D option quiet

BEGIN
{
	printf("[%*d]\n", -5, 42);
	exit(0);
}
