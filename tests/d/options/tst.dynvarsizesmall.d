/* SPDX-License-Identifier: GPL-2.0-only */
/* Room for not even one dynamic variable: the program does not run. */
/* @status: 1 */
#pragma D option quiet
#pragma D option dynvarsize=19

BEGIN
{
	a[1] = 1;
	exit(0);
}
