/* SPDX-License-Identifier: GPL-2.0-only */
/* exit() takes a status. */

BEGIN
{
	exit();
}
