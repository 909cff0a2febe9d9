/* SPDX-License-Identifier: GPL-2.0-only */
/* inet_ntoa6() leaves out what surrounds an IPv4 address, unless it is told not to. */
#pragma D option quiet

struct in6_addr {
	uint8_t bytes[16];
};
BEGIN
{
	this->a = (struct in6_addr *)alloca(sizeof (struct in6_addr));
	this->a->bytes[12] = 127;
	this->a->bytes[15] = 1;
	printf("%s ", inet_ntoa6(this->a));
	printf("%s ", inet_ntoa6(this->a, 0));
	printf("%s\n", inet_ntoa6(this->a, 1));
	exit(0);
}
