/* SPDX-License-Identifier: GPL-2.0-only */
/* One register at a time. */

BEGIN
{
	trace(uregs[R_PC, R_SP]);
	exit(0);
}
