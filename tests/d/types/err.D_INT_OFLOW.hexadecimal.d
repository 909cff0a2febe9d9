/* SPDX-License-Identifier: GPL-2.0-only */
/* More than 64 bits can hold. */

BEGIN
{
	trace(0x10000000000000000);
	exit(0);
}
