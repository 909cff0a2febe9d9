/* SPDX-License-Identifier: GPL-2.0-only */
/* $pid is the tool, in which BEGIN fires. */
#pragma D option quiet

BEGIN
/pid == $pid/
{
	printf("same\n");
}
BEGIN { exit(0); }
