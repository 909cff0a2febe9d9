/* SPDX-License-Identifier: GPL-2.0-only */
/* trace() of numbers and strings. */

BEGIN
{
	trace(1);
	trace("text");
	trace((int64_t)-1);
	trace((char)65);
	exit(0);
}
