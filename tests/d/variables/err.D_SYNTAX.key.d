/* SPDX-License-Identifier: GPL-2.0-only */
/* An index is not empty. */

BEGIN
{
	a[] = 1;
	exit(0);
}
