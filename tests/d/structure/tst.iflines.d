/* SPDX-License-Identifier: GPL-2.0-only */
/* What stands before, in and behind an if has a record of its own, and so a line. */

BEGIN
{
	x = 1;
	trace("before");
	if (x) {
		trace("in");
		trace(x);
		if (!x)
			trace("never");
		else
			trace("inner");
	} else
		trace("neither");
	trace("behind");
	exit(0);
}
