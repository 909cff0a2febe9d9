/* SPDX-License-Identifier: GPL-2.0-only */
/* What an if assigns stays assigned. */
#pragma D option quiet

BEGIN
{
	this->x = 1;
	if (this->x == 1) {
		this->x = 2;
		y = 10;
	} else {
		this->x = 3;
		y = 20;
	}
	printf("%d %d\n", this->x, y);
	exit(0);
}
