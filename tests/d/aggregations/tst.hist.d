/* SPDX-License-Identifier: GPL-2.0-only */
/* agghist shows bars. */
#pragma D option quiet

#pragma D option agghist
BEGIN
{
	@["a"] = sum(1);
	@["b"] = sum(3);
	exit(0);
}
