/* SPDX-License-Identifier: GPL-2.0-only */
/* Error numbers and signals have names. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d %d\n", ENOENT, EINTR, EAGAIN, SIGKILL);
	exit(0);
}
