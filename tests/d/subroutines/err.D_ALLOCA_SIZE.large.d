/* SPDX-License-Identifier: GPL-2.0-only */
/* More than a firing has. */

BEGIN
{
	this->p = alloca(1000000);
	exit(0);
}
