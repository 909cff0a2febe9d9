/* SPDX-License-Identifier: GPL-2.0-only */
/* Fields of the probe's name are cut like other strings. */
#pragma D option quiet
#pragma D option strsize=4

BEGIN
{
	printf("[%s] [%s]\n", probeprov, strjoin(probename, ""));
	exit(0);
}
