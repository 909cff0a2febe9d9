/* SPDX-License-Identifier: GPL-2.0-only */
/* stack() takes a number of frames at most. */

BEGIN
{
	stack(1, 2);
	exit(0);
}
