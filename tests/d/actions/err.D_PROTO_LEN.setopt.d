/* SPDX-License-Identifier: GPL-2.0-only */
/* setopt() takes an option. */

BEGIN
{
	setopt();
	exit(0);
}
