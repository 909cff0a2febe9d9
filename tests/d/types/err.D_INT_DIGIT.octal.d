/* SPDX-License-Identifier: GPL-2.0-only */
/* An octal number has no 8. */

BEGIN
{
	trace(0778);
	exit(0);
}
