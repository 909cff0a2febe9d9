/* SPDX-License-Identifier: GPL-2.0-only */
/* A speculative record takes 8 bytes and its data of specsize: here both fit exactly. */
#pragma D option quiet
#pragma D option specsize=40

BEGIN { self->i = speculation(); }
BEGIN
{
	speculate(self->i);
	ran = 1;
	printf("%d %d %d %d\n", (long long)1, (long long)2, (long long)3, (long long)4);
}
BEGIN { commit(self->i); }
BEGIN { printf("%d\n", ran); exit(0); }
