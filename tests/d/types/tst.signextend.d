/* SPDX-License-Identifier: GPL-2.0-only */
/* Conversions to a longer type keep the sign. */
#pragma D option quiet

BEGIN
{
	this->c = (int8_t)-5;
	printf("%d %d\n", (int)this->c, (int64_t)this->c);
	this->u = (uint8_t)251;
	printf("%d %d\n", (int)this->u, (int64_t)this->u);
	exit(0);
}
