/* SPDX-License-Identifier: GPL-2.0-only */
/* No variable can be called so. */

BEGIN
{
	this = 1;
	exit(0);
}
