/* SPDX-License-Identifier: GPL-2.0-only */
/* What is called has a name. */

BEGIN
{
	(1)(2);
	exit(0);
}
