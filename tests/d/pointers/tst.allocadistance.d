/* SPDX-License-Identifier: GPL-2.0-only */
/* Within the firing's own memory there is. */

#pragma D option quiet

BEGIN
{
	this->first = (int *)alloca(16);
	this->last = this->first + 3;
	printf("%d\n", this->last - this->first);
	exit(0);
}
