/* SPDX-License-Identifier: GPL-2.0-only */
/* An aggregation in an if. */
#pragma D option quiet

BEGIN
{
	x = 1;
	if (x) {
		@yes = count();
	} else {
		@no = count();
	}
	printa("yes %@d\n", @yes);
	printa("no %@d\n", @no);
	exit(0);
}
