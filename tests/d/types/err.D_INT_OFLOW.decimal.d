/* SPDX-License-Identifier: GPL-2.0-only */
/* More than 64 bits can hold. */

BEGIN
{
	trace(18446744073709551616);
	exit(0);
}
