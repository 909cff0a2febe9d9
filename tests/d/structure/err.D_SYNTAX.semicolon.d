/* SPDX-License-Identifier: GPL-2.0-only */
/* Two statements need a semicolon between them. */

BEGIN
{
	trace(1)
	trace(2);
	exit(0);
}
