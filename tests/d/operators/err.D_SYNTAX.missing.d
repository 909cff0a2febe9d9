/* SPDX-License-Identifier: GPL-2.0-only */
/* An operator has two sides. */

BEGIN
{
	trace(1 + );
	exit(0);
}
