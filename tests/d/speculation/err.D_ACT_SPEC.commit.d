/* SPDX-License-Identifier: GPL-2.0-only */
/* A clause that speculates does not commit. */

BEGIN
{
	this->s = speculation();
	speculate(this->s);
	commit(this->s);
}
