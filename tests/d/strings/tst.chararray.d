/* SPDX-License-Identifier: GPL-2.0-only */
/* An array of characters is compared as a string. */
#pragma D option quiet

this char a[8];
BEGIN
{
	this->a[0] = 'o';
	this->a[1] = 'k';
	printf("%d\n", stringof(this->a) == "ok");
	exit(0);
}
