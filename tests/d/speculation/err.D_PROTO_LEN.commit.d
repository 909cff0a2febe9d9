/* SPDX-License-Identifier: GPL-2.0-only */
/* commit() takes a number. */

BEGIN
{
	commit();
}
