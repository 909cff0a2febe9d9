/* SPDX-License-Identifier: GPL-2.0-only */
/* Only integers are shifted. */

BEGIN
{
	trace("a" << 1);
	exit(0);
}
