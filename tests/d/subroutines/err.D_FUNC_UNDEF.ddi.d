/* SPDX-License-Identifier: GPL-2.0-only */
/* Linux has no such device tree. */

BEGIN
{
	trace(ddi_pathname((void *)0, 0));
	exit(0);
}
