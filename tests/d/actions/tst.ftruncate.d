/* SPDX-License-Identifier: GPL-2.0-only */
/* ftruncate() cuts off files; a pipe keeps what went through. */
#pragma D option quiet

BEGIN
{
	printf("one\n");
	ftruncate();
	printf("two\n");
	exit(0);
}
