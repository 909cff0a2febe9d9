/* SPDX-License-Identifier: GPL-2.0-only */
/* trace() without columns. */
#pragma D option quiet

BEGIN
{
	trace(1);
	trace("text");
	trace((int64_t)-1);
	exit(0);
}
