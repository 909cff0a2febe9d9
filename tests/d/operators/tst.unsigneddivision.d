/* SPDX-License-Identifier: GPL-2.0-only */
/* Unsigned division. */
#pragma D option quiet

BEGIN
{
	this->a = (uint64_t)-1;
	printf("%u %u\n", this->a / 2, this->a % 10);
	exit(0);
}
