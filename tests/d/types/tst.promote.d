/* SPDX-License-Identifier: GPL-2.0-only */
/* Of two operands the wider one gives the type: small ones are not made int first, as in libdtrace. */
#pragma D option quiet

BEGIN
{
	this->a = (uint8_t)200;
	this->b = (uint8_t)100;
	printf("%d\n", this->a + this->b);
	printf("%d\n", ~(uint8_t)0);
	exit(0);
}
