/* SPDX-License-Identifier: GPL-2.0-only */
/* A function that is not there. */
/* @needs: guest */

fbt::no_such_function_at_all:entry
{
	exit(0);
}
