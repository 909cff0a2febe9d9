/* SPDX-License-Identifier: GPL-2.0-only */
/* An option that is none. */
/* @needs: guest */

#pragma D option nonsense=1
BEGIN
{
	exit(0);
}
