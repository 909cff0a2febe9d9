/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of IPv4 as text. */
#pragma D option quiet

BEGIN
{
	this->a = (uint32_t *)alloca(4);
	*this->a = htonl(0x7f000001);
	printf("%s ", inet_ntoa(this->a));
	*this->a = htonl(0xc0a80a0b);
	printf("%s\n", inet_ntop(AF_INET, this->a));
	exit(0);
}
