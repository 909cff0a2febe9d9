/* SPDX-License-Identifier: GPL-2.0-only */
/* Floating point has no sign of its own. */

unsigned float x;
BEGIN
{
	exit(0);
}
