/* SPDX-License-Identifier: GPL-2.0-only */
/* It must be known of which kind a pointer is. */

BEGIN
{
	this->p = arg0 ? (char *)alloca(4) : (char *)arg0;
	exit(0);
}
