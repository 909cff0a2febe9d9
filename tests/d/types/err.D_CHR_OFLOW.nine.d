/* SPDX-License-Identifier: GPL-2.0-only */
/* A character constant has eight characters at most. */

BEGIN
{
	trace('abcdefghi');
	exit(0);
}
