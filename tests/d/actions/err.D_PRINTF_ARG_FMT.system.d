/* SPDX-License-Identifier: GPL-2.0-only */
/* That an action cannot be is told after what is wrong with its format. */

BEGIN
{
	system(execname);
	exit(0);
}
