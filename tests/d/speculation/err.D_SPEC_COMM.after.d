/* SPDX-License-Identifier: GPL-2.0-only */
/* speculate() does not follow commit(). */

BEGIN
{
	commit(1);
	speculate(2);
}
