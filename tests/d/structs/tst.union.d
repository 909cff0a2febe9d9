/* SPDX-License-Identifier: GPL-2.0-only */
/* Members of a union share their bytes. */
#pragma D option quiet

union both {
	uint32_t word;
	uint8_t bytes[4];
};
this union both u;
BEGIN
{
	this->u.word = 0x01020304;
	printf("%d %d %d\n", this->u.bytes[0], this->u.bytes[3], sizeof (union both));
	exit(0);
}
