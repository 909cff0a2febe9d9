/* SPDX-License-Identifier: GPL-2.0-only */
/* A clause whose record does not fit specsize does not go on behind speculate(). */
/* @stderr: 1 speculative drop */
#pragma D option quiet
#pragma D option specsize=39

BEGIN { self->i = speculation(); }
BEGIN
{
	speculate(self->i);
	ran = 1;
	printf("%d %d %d %d\n", (long long)1, (long long)2, (long long)3, (long long)4);
}
BEGIN { commit(self->i); }
BEGIN { printf("%d\n", ran); exit(0); }
