/* SPDX-License-Identifier: GPL-2.0-only */
/* Several keys. */
#pragma D option quiet

BEGIN
{
	@["a", 1] = sum(10);
	@["a", 2] = sum(20);
	@["b", 1] = sum(5);
	exit(0);
}
