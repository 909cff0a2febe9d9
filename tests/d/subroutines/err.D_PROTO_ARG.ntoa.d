/* SPDX-License-Identifier: GPL-2.0-only */
/* An address of IPv4 has four bytes. */

BEGIN
{
	trace(inet_ntoa((char *)0));
	exit(0);
}
