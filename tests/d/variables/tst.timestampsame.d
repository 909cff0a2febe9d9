/* SPDX-License-Identifier: GPL-2.0-only */
/* All of a clause sees one time. */
#pragma D option quiet

BEGIN
{
	a = timestamp;
	b = timestamp;
	printf("%d\n", b >= a);
	exit(0);
}
