/* SPDX-License-Identifier: GPL-2.0-only */
/* args[] belongs to a probe. */

inline int first = args[0];
BEGIN
{
	trace(first);
	exit(0);
}
