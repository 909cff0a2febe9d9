/* SPDX-License-Identifier: GPL-2.0-only */
/* A program that says why it does not go on. */

#pragma error not on this system
BEGIN
{
	exit(0);
}
