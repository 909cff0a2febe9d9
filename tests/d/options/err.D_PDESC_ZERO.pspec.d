/* SPDX-License-Identifier: GPL-2.0-only */
/* @needs: guest */
/* With option pspec int* is a description, of no probe, and no beginning of a declaration. */
#pragma D option pspec

int*
{
	exit(0);
}
