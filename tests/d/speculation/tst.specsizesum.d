/* SPDX-License-Identifier: GPL-2.0-only */
/* A clause that finds too little of specsize left goes on, without what it would have recorded. */
#pragma D option quiet
#pragma D option specsize=16

BEGIN
{
	n = 0;
	spec = speculation();
}

BEGIN
{
	speculate(spec);
	printf("%d\n", 123);
	n++;
}

BEGIN
{
	speculate(spec);
	printf("%d\n", 456);
	n++;
}

BEGIN
{
	speculate(spec);
	printf("%d %d %d %d\n", 7, 8, 9, 10);
	n++;
}

BEGIN
{
	commit(spec);
}

BEGIN
{
	printf("%d\n", n);
	exit(0);
}
