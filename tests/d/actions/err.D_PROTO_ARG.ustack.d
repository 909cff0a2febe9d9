/* SPDX-License-Identifier: GPL-2.0-only */
/* ustack() takes a number of frames, and one of bytes. */

BEGIN
{
	ustack(5, "a");
	exit(0);
}
