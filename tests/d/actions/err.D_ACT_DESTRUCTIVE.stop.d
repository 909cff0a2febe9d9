/* SPDX-License-Identifier: GPL-2.0-only */
/* Destructive actions are refused. */

BEGIN
{
	stop();
	exit(0);
}
