/* SPDX-License-Identifier: GPL-2.0-only */
/* Some options cannot be set any more once a program traces. */
/* @needs: guest */
/* @stderr: couldn't set option "bufsize" to "1m": Operation illegal when tracing is active */
#pragma D option quiet

BEGIN
{
	printf("on\n");
	setopt("bufsize", "1m");
	exit(0);
}
