/* SPDX-License-Identifier: GPL-2.0-only */
/* The size of strings is not negative. */

BEGIN
{
	ustack(5, -1);
	exit(0);
}
