/* SPDX-License-Identifier: GPL-2.0-only */
/* A size that is none. */
/* @needs: guest */

#pragma D option bufsize=large
BEGIN
{
	exit(0);
}
