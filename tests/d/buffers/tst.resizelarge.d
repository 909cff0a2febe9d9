/* SPDX-License-Identifier: GPL-2.0-only */
/* Buffers that cannot be had become smaller. */
/* @needs: guest */
/* @stderr: aggregation size lowered to */
#pragma D option bufresize=auto
#pragma D option bufsize=100t
#pragma D option aggsize=100t
#pragma D option specsize=100t
#pragma D option quiet

BEGIN
{
	@["x"] = count();
	printa("%s %@d\n", @);
	exit(0);
}
