/* SPDX-License-Identifier: GPL-2.0-only */
/* BEGIN fires with the tool's own numbers. */
/* @needs: guest */
#pragma D option quiet

BEGIN
{
	printf("%d %d\n", uid == $uid, gid == $gid);
	exit(0);
}
