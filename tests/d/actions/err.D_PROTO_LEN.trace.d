/* SPDX-License-Identifier: GPL-2.0-only */
/* trace() takes one value. */

BEGIN
{
	trace();
	exit(0);
}
