/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether inet_ntoa6() writes an IPv4 address as such is told by a constant. */

BEGIN
{
	this->a = (struct in6_addr *)alloca(16);
	strict = 1;
	trace(inet_ntoa6(this->a, strict));
	exit(0);
}
