/* SPDX-License-Identifier: GPL-2.0-only */
/* An option has a name. */

#pragma D option
BEGIN
{
	exit(0);
}
