/* SPDX-License-Identifier: GPL-2.0-only */
/* What belongs to the thread has names; all of it is no value. */

BEGIN
{
	trace(self);
	exit(0);
}
