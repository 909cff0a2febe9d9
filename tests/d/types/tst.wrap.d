/* SPDX-License-Identifier: GPL-2.0-only */
/* Integers wrap around. */
#pragma D option quiet

BEGIN
{
	this->m = 2147483647;
	this->m++;
	printf("%d\n", this->m);
	this->u = (uint8_t)255;
	this->u++;
	printf("%d\n", this->u);
	exit(0);
}
