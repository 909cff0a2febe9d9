/* SPDX-License-Identifier: GPL-2.0-only */
/* commit() does not follow what is recorded. */

BEGIN
{
	trace(1);
	commit(1);
}
