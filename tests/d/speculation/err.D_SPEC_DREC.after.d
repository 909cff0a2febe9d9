/* SPDX-License-Identifier: GPL-2.0-only */
/* What is recorded comes after speculate(). */

BEGIN
{
	trace(1);
	speculate(1);
}
