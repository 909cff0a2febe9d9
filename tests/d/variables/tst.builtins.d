/* SPDX-License-Identifier: GPL-2.0-only */
/* What D says of the probe. */
#pragma D option quiet

BEGIN
{
	printf("%s:%s:%s:%s\n", probeprov, probemod, probefunc, probename);
	printf("%d\n", id);
	exit(0);
}
