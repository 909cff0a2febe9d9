/* SPDX-License-Identifier: GPL-2.0-only */
/* An else belongs to an if. */

BEGIN
{
	else {
		trace(1);
	}
	exit(0);
}
