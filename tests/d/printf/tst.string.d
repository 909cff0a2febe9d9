/* SPDX-License-Identifier: GPL-2.0-only */
/* Strings and arrays of characters. */
#pragma D option quiet

this char a[4];
BEGIN
{
	this->a[0] = 'h';
	this->a[1] = 'i';
	printf("%s %s\n", "text", this->a);
	exit(0);
}
