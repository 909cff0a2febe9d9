/* SPDX-License-Identifier: GPL-2.0-only */
/* Destructive actions are refused. */

BEGIN
{
	system("true");
	exit(0);
}
