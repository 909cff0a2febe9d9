/* SPDX-License-Identifier: GPL-2.0-only */
/* Comments do not nest. */

BEGIN
{
	/* outer /* inner */ still outer */
	exit(0);
}
