/* SPDX-License-Identifier: GPL-2.0-only */
/* All registers at once are no value. */

BEGIN
{
	trace(uregs);
	exit(0);
}
