/* SPDX-License-Identifier: GPL-2.0-only */
/* In this version index() is there. */

#pragma D option version=1.1

int index;

BEGIN
{
	exit(0);
}
