/* SPDX-License-Identifier: GPL-2.0-only */
/* A type that is none. */

BEGIN
{
	i = (long short)0;
	exit(0);
}
