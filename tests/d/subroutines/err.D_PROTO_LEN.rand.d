/* SPDX-License-Identifier: GPL-2.0-only */
/* rand() takes nothing. */

BEGIN
{
	trace(rand(1));
	exit(0);
}
