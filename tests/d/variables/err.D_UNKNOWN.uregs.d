/* SPDX-License-Identifier: GPL-2.0-only */
/* There are no registers behind R_TRAPNO. */

BEGIN
{
	trace(uregs[R_TRAPNO + 1]);
	exit(0);
}
