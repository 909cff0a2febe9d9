/* SPDX-License-Identifier: GPL-2.0-only */
/* A clause belongs to one speculation. */

BEGIN
{
	this->one = speculation();
	speculate(this->one);
	speculate(this->one);
	exit(0);
}
