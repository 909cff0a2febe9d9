/* SPDX-License-Identifier: GPL-2.0-only */
/* Destructive actions are refused. */

BEGIN
{
	panic();
}
