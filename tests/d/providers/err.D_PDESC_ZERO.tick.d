/* SPDX-License-Identifier: GPL-2.0-only */
/* A period that is none. */
/* @needs: guest */

tick-0
{
	exit(0);
}
