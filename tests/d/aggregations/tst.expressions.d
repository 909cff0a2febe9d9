/* SPDX-License-Identifier: GPL-2.0-only */
/* Values and keys are expressions. */
#pragma D option quiet

BEGIN
{
	x = 5;
	@[x > 3 ? "big" : "small"] = sum(x * x + 1);
	printa("%s %@d\n", @);
	exit(0);
}
