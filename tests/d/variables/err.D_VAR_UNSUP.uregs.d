/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers of user code are not to be had. */

BEGIN
{
	trace(uregs[0]);
	exit(0);
}
