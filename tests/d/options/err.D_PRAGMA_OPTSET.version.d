/* SPDX-License-Identifier: GPL-2.0-only */
/* There is no such version of D. */

#pragma D option version=1.7

BEGIN
{
	exit(0);
}
