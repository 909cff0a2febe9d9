/* SPDX-License-Identifier: GPL-2.0-only */
/* Actions are no operands. */

BEGIN
{
	pid == 1 ? trace(1) : trace(2);
	exit(0);
}
