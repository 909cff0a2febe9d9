/* SPDX-License-Identifier: GPL-2.0-only */
/* An option has a name. */

BEGIN
{
	setopt(17);
	exit(0);
}
