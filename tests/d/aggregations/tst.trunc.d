/* SPDX-License-Identifier: GPL-2.0-only */
/* trunc() takes all entries away. */
#pragma D option quiet

BEGIN
{
	@["x"] = count();
	trunc(@);
	printa("%s %@d\n", @);
	printf("nothing\n");
	exit(0);
}
