/* SPDX-License-Identifier: GPL-2.0-only */
/* Behind the last global variable there is nothing, and before the first (which is of p). */
#pragma D option quiet

int *p;
long long first[2];
long long last[2];

BEGIN
{
	p = (int *)&last[1];
	printf("%d\n", p[1]);
}

BEGIN
{
	trace(p[2]);
}

BEGIN
{
	p[2] = 1;
}

BEGIN
{
	trace(*((char *)&first[0] - 9));
}

ERROR
{
	printf("error %d at %d\n", arg4, (int)(arg5 - (uint64_t)&first[0]));
}

BEGIN
{
	exit(0);
}
