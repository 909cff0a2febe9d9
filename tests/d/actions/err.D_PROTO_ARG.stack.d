/* SPDX-License-Identifier: GPL-2.0-only */
/* stack() takes a number of frames. */

BEGIN
{
	stack("a");
	exit(0);
}
