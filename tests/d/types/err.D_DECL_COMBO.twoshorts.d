/* SPDX-License-Identifier: GPL-2.0-only */
/* Words of a type that are said twice. */

BEGIN
{
	i = (short short int)0;
	exit(0);
}
