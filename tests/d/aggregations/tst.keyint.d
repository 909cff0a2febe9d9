/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers as keys. */
#pragma D option quiet

BEGIN
{
	@[10] = sum(1);
	@[-3] = sum(2);
	@[10] = sum(4);
	exit(0);
}
