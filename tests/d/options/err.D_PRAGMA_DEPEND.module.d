/* SPDX-License-Identifier: GPL-2.0-only */
/* A library's wish is not a program's. */
/* @needs: guest */

#pragma D depends_on library no_such_library.d
BEGIN
{
	exit(0);
}
