/* SPDX-License-Identifier: GPL-2.0-only */
/* An attribute of what is never defined. */

void func(int, int);
#pragma D attributes Stable/Stable/Common func
BEGIN
{
	exit(0);
}
