/* SPDX-License-Identifier: GPL-2.0-only */
/* A register's number is not negative. */

BEGIN
{
	trace(uregs[-1]);
	exit(0);
}
