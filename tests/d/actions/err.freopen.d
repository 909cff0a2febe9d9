/* SPDX-License-Identifier: GPL-2.0-only */
/* freopen() is a destructive action. */
/* @needs: guest */
/* @stderr: Destructive actions not allowed */
#pragma D option quiet

BEGIN
{
	freopen("/dev/null");
	exit(0);
}
