/* SPDX-License-Identifier: GPL-2.0-only */
/* BEGIN has no arguments with types. */

BEGIN
{
	trace(args[0]);
	exit(0);
}
