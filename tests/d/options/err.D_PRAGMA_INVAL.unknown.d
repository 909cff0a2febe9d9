/* SPDX-License-Identifier: GPL-2.0-only */
/* A pragma that is none. */

#pragma D nonsense
BEGIN
{
	exit(0);
}
