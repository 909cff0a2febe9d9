/* SPDX-License-Identifier: GPL-2.0-only */
/* trace() of numbers and strings, in columns. */
#pragma D option quiet

BEGIN
{
	trace(1);
	trace("two");
	trace(-3);
	exit(0);
}
