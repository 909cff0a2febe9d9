/* SPDX-License-Identifier: GPL-2.0-only */
/* A name that no register has. */

BEGIN
{
	trace(uregs[R_RZX]);
	exit(0);
}
