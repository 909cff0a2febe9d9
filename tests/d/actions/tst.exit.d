/* SPDX-License-Identifier: GPL-2.0-only */
/* exit() gives the status. */
/* @status: 7 */
#pragma D option quiet

BEGIN
{
	exit(7);
}
