/* SPDX-License-Identifier: GPL-2.0-only */
/* Each description of a list names a probe. */
/* @needs: guest */

BEGIN,
fbt::no_such_function_at_all:entry
{
	exit(0);
}
