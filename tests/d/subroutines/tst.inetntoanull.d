/* SPDX-License-Identifier: GPL-2.0-only */
/* No address at all is a fault when the clause runs. */
/* @stderr: invalid address */
#pragma D option quiet

BEGIN
{
	trace(inet_ntoa(NULL));
}

BEGIN
{
	trace(inet_ntoa6(NULL));
}

BEGIN
{
	exit(0);
}

ERROR
{
	printf("fault\n");
}
