/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of IPv6 as text. */
#pragma D option quiet

BEGIN
{
	this->a = (uint8_t *)alloca(16);
	this->a[0] = 0xfe;
	this->a[1] = 0x80;
	this->a[15] = 1;
	printf("%s ", inet_ntop(AF_INET6, this->a));
	this->a[0] = 0;
	this->a[1] = 0;
	printf("%s\n", inet_ntop(AF_INET6, this->a));
	exit(0);
}
