/* SPDX-License-Identifier: GPL-2.0-only */
/* An array of arrays. */
#pragma D option quiet

this int a[2][3];
BEGIN
{
	this->a[0][0] = 1;
	this->a[1][2] = 6;
	printf("%d %d %d\n", this->a[0][0], this->a[1][2], sizeof (this->a));
	exit(0);
}
