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
	this->a->bytes[0] = 16;
	this->a->bytes[5] = 2;
	this->a->bytes[7] = 3;
	this->a->bytes[9] = 4;
	this->a->bytes[11] = 5;
	printf("%s\n", inet_ntoa6(this->a));
	exit(0);
}
