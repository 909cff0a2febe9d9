/* SPDX-License-Identifier: GPL-2.0-only */
/* What is recorded does not follow commit(). */

BEGIN
{
	commit(1);
	trace(1);
}
