/* SPDX-License-Identifier: GPL-2.0-only */
/* The first exit() of a clause with an if gives the status, whichever arm has it. */
#pragma D option quiet

BEGIN
{
	x = 0;
	if (x == 5)
		exit(1);
	if (x)
		exit(2);
	else
		exit(0);
	if (!x)
		exit(3);
	exit(4);
}
