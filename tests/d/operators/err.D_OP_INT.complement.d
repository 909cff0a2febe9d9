/* SPDX-License-Identifier: GPL-2.0-only */
/* Only integers have bits. */

BEGIN
{
	trace(~"a");
	exit(0);
}
