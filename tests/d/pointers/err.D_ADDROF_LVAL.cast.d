/* SPDX-License-Identifier: GPL-2.0-only */
/* What comes of a cast is a value, and is nowhere. */

BEGIN
{
	trace(&(int)pid);
	exit(0);
}
