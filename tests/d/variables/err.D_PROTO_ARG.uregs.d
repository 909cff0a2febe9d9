/* SPDX-License-Identifier: GPL-2.0-only */
/* Which register it is must be known before the program runs. */

BEGIN
{
	which = R_SP;
	trace(uregs[which]);
	exit(0);
}
