/* SPDX-License-Identifier: GPL-2.0-only */
/* Bit-fields hold as many bits as they have. */
#pragma D option quiet

struct flags {
	unsigned int low:3;
	unsigned int high:5;
	int sign:4;
};
this struct flags f;
BEGIN
{
	this->f.low = 9;
	this->f.high = 31;
	this->f.sign = -3;
	printf("%d %d %d %d\n", this->f.low, this->f.high, this->f.sign, sizeof (struct flags));
	exit(0);
}
