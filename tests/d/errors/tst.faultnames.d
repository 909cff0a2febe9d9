/* SPDX-License-Identifier: GPL-2.0-only */
/* The faults that Oracle's edition added have names, too. */
/* @stderr: index out of bounds */
#pragma D option quiet

int array[3];

BEGIN
{
	this->at = 7;
	printf("%d %d\n", DTRACEFLT_BADSIZE, DTRACEFLT_LIBRARY > DTRACEFLT_BADINDEX);
}

BEGIN
{
	trace(array[this->at]);
}

ERROR
{
	printf("%d %d\n", arg4 == DTRACEFLT_BADINDEX, arg5);
	exit(0);
}
