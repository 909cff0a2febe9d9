/* SPDX-License-Identifier: GPL-2.0-only */
/* A clause commits once. */

BEGIN
{
	commit(1);
	commit(2);
}
